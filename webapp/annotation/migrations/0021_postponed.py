"""Counts how often a task was postponed, because the storage was away."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("annotation", "0020_rows_of_a_person")]

    operations = [
        migrations.AddField("export", "postponed", models.PositiveSmallIntegerField(db_default=0, default=0)),
        migrations.AddField("maskimport", "postponed", models.PositiveSmallIntegerField(db_default=0, default=0)),
        migrations.AddField("round", "postponed", models.PositiveSmallIntegerField(db_default=0, default=0)),
    ]
