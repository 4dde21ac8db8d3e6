"""Notes which scribbles belong to a painted version, so that they follow it when it is undone and brought back."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("annotation", "0022_accepted_objects")]

    operations = [migrations.AddField("round", "scribbles_taken", models.JSONField(null=True))]
