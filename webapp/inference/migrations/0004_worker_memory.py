from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("inference", "0003_worker_task")]

    operations = [
        migrations.AddField("worker", name, models.PositiveBigIntegerField(default=0))
        for name in ("memory", "device_memory", "device_memory_size")
    ]
