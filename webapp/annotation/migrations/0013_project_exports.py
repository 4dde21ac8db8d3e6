"""Allow an export to contain all videos of a project."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("annotation", "0012_started_from"),
        ("projects", "0001_initial"),
        ("videos", "0006_cuts"),
    ]

    operations = [
        migrations.AddField(
            model_name="export",
            name="project",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.CASCADE, related_name="exports", to="projects.project"
            ),
        ),
        migrations.AddField(
            model_name="export",
            name="rounds",
            field=models.JSONField(default=list),
        ),
        migrations.AlterField(
            model_name="export",
            name="video",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.CASCADE, related_name="exports", to="videos.video"
            ),
        ),
    ]
