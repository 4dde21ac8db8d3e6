from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("inference", "0002_worker_draining")]

    operations = [
        migrations.AddField(
            "worker", "task", models.CharField(blank=True, default="", max_length=100), preserve_default=False
        ),
        migrations.AlterField("worker", "device", models.CharField(blank=True, max_length=60)),
    ]
