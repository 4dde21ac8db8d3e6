"""Notes after which version a scribble was drawn, so that it does not change what was painted later."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("annotation", "0023_scribbles_taken")]

    operations = [migrations.AddField("scribble", "next_number", models.PositiveIntegerField(null=True))]
