"""Counts how often a task was postponed, because the storage was away."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("webhooks", "0001_initial")]

    operations = [
        migrations.AddField("delivery", "postponed", models.PositiveSmallIntegerField(db_default=0, default=0)),
    ]
