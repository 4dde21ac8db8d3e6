import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("videos", "0012_postponed")]

    operations = [
        migrations.CreateModel(
            "FrameHashes",
            [
                (
                    "video",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="frame_hashes",
                        serialize=False,
                        to="videos.video",
                    ),
                ),
                ("data", models.BinaryField()),
            ],
        ),
    ]
