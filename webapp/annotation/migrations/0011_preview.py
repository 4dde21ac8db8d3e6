"""Add the table of previews.

A row is a request for the mask that the waiting scribbles would give a frame, and later also the answer.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models.functions import Now


class Migration(migrations.Migration):
    dependencies = [
        ("annotation", "0010_versions"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            "Preview",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("frame", models.PositiveIntegerField()),
                ("engine", models.CharField(max_length=40)),
                ("click", models.JSONField(null=True)),
                ("data", models.BinaryField(null=True)),
                ("created_at", models.DateTimeField(db_default=Now(), editable=False)),
                (
                    "author",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "video",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="videos.video"),
                ),
            ],
        ),
    ]
