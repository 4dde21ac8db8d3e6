"""Add the frames from whose masks a round starts."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("annotation", "0011_preview"),
    ]

    operations = [
        migrations.AddField("round", "started_from", models.JSONField(default=list)),
    ]
