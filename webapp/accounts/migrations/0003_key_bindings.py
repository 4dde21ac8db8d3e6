"""Add the keyboard shortcuts that a person has changed on the page."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_tokens")]

    operations = [
        migrations.AddField(
            model_name="user",
            name="key_bindings",
            field=models.JSONField(blank=True, default=dict),
        ),
    ]
