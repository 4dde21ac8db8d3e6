"""Add the pixel aspect of a video: the width of a pixel divided by its height."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("videos", "0004_lease"),
    ]

    operations = [
        migrations.AddField("video", "pixel_aspect", models.FloatField(default=1.0)),
    ]
