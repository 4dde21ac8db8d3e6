"""Store the format of an export as a name that the code looks up, so that a new format needs no migration."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("annotation", "0005_round_scores"),
    ]

    operations = [
        migrations.RenameField("export", "kind", "format"),
        migrations.AlterField("export", "format", models.CharField(max_length=40)),
    ]
