"""Add the scene cuts of a video. Videos that were imported before have none until a person sets them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("videos", "0005_pixel_aspect"),
    ]

    operations = [
        migrations.AddField("video", "cuts", models.JSONField(default=list)),
    ]
