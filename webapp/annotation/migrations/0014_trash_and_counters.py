"""Exports can be put into the trash, and the rows of videos get the counts that lists show."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import Count, Max


def count(apps, schema_editor):
    Video, Round = apps.get_model("videos", "Video"), apps.get_model("annotation", "Round")
    accepted = apps.get_model("annotation", "AcceptedFrame").objects.order_by().values("video").annotate(n=Count("pk"))
    for row in accepted.iterator():
        Video.objects.filter(pk=row["video"]).update(accepted_count=row["n"])
    rounds = Round.objects.order_by().values("video").annotate(n=Count("pk"), newest=Max("pk"))
    for row in rounds.iterator():
        newest = Round.objects.values("author_id", "created_at").get(pk=row["newest"])
        running = Round.objects.filter(video=row["video"], state__in=("queued", "running")).exists()
        Video.objects.filter(pk=row["video"]).update(
            rounds_made=row["n"],
            is_running=running,
            worked_at=newest["created_at"],
            worked_by_id=newest["author_id"],
        )


class Migration(migrations.Migration):
    dependencies = [
        ("annotation", "0013_project_exports"),
        ("videos", "0007_trash_and_counters"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="export",
            name="deleted_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="export",
            name="deleted_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="export",
            name="removing",
            field=models.BooleanField(default=False),
        ),
        migrations.RunPython(count, migrations.RunPython.noop),
    ]
