"""Give imports the lease columns, whose times are read from the database's clock."""

from django.db import migrations, models
from django.db.models.functions import Now


class Migration(migrations.Migration):
    dependencies = [
        ("videos", "0003_rung_at"),
    ]

    operations = [
        migrations.RenameField("video", "rung_at", "notified_at"),
        migrations.AlterField("video", "notified_at", models.DateTimeField(db_default=Now())),
    ]
