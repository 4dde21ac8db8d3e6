"""Gives each video that is ready one job of all its frames."""

from django.db import migrations


def create_first_jobs(apps, schema_editor):
    video, job = apps.get_model("videos", "Video"), apps.get_model("jobs", "Job")
    ready = video.objects.filter(state="ready", frame_count__gt=0, jobs=None).values_list("pk", "frame_count")
    job.objects.bulk_create(
        (job(video_id=pk, first=0, last=frame_count - 1) for pk, frame_count in ready.iterator()), batch_size=500
    )


class Migration(migrations.Migration):
    dependencies = [("jobs", "0001_initial")]

    operations = [migrations.RunPython(create_first_jobs, migrations.RunPython.noop, elidable=True)]
