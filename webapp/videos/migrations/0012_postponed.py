"""Counts how often a task was postponed, because the storage was away."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("videos", "0011_copy_labels")]

    operations = [
        migrations.AddField("fetch", "postponed", models.PositiveSmallIntegerField(db_default=0, default=0)),
        migrations.AddField("video", "postponed", models.PositiveSmallIntegerField(db_default=0, default=0)),
    ]
