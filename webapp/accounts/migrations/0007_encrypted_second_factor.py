from django.db import migrations, models


def encrypt_all(apps, schema_editor):
    from webapp.accounts.encryption import encrypt

    _change_all(apps, encrypt)


def decrypt_all(apps, schema_editor):
    from webapp.accounts.encryption import decrypt

    _change_all(apps, decrypt)


def _change_all(apps, change):
    rows = apps.get_model("accounts", "SecondFactor").objects
    for row in rows.all():
        rows.filter(pk=row.pk).update(secret=change(row.secret))


class Migration(migrations.Migration):
    dependencies = [("accounts", "0006_outside_identity")]

    operations = [
        migrations.AlterField("secondfactor", "secret", models.CharField(max_length=255)),
        migrations.RunPython(encrypt_all, decrypt_all, elidable=True),
    ]
