"""Videos know the shape of their pixels."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("videos", "0004_lease"),
    ]

    operations = [
        migrations.AddField("video", "pixel_aspect", models.FloatField(default=1.0)),
    ]
