"""Give rounds and exports the same columns for the lease.

A row that waits has no heartbeat, and times are read from the clock of the database.
"""

from django.db import migrations, models
from django.db.models.functions import Now


def forget_heartbeats_of_what_waits(apps, schema_editor):
    for name in ("Round", "Export"):
        apps.get_model("annotation", name).objects.filter(state="queued").update(heartbeat=None)


class Migration(migrations.Migration):
    dependencies = [
        ("annotation", "0008_engine_state"),
    ]

    operations = [
        migrations.RenameField("export", "rung_at", "notified_at"),
        migrations.AlterField("export", "notified_at", models.DateTimeField(db_default=Now())),
        migrations.AddField("round", "notified_at", models.DateTimeField(db_default=Now())),
        migrations.AlterField("round", "created_at", models.DateTimeField(db_default=Now(), editable=False)),
        migrations.RunPython(forget_heartbeats_of_what_waits, migrations.RunPython.noop),
    ]
