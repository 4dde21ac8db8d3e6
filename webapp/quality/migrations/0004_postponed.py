"""Counts how often a task was postponed, because the storage was away."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("quality", "0003_consensus_lease")]

    operations = [
        migrations.AddField("consensus", "postponed", models.PositiveSmallIntegerField(db_default=0, default=0)),
    ]
