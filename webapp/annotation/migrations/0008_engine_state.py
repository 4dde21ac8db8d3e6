"""Rename the bytes that an engine attaches to a mask to engine state."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("annotation", "0007_scribble"),
    ]

    operations = [migrations.RenameField("mask", "memo", "engine_state")]
