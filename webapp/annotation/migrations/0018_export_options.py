"""Store what a person chose for an export."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("annotation", "0017_numbers"),
    ]

    operations = [
        migrations.AddField(
            model_name="export",
            name="options",
            field=models.JSONField(default=dict),
        ),
    ]
