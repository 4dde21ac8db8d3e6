"""Rename what a person drew to scribble: in the table, in its columns, and in the messages of the change log."""

import django.db.models.deletion
from django.db import migrations, models

AT_ONCE = 1000  # The number of rows of the change log that are rewritten in one statement.
NAMES = {"stroke.added": "scribble.added", "stroke.removed": "scribble.removed"}


def rename_messages(apps, names, field_before, field_after):
    change = apps.get_model("annotation", "Change")
    last = 0
    while rows := list(change.objects.filter(pk__gt=last, message__type__in=list(names)).order_by("pk")[:AT_ONCE]):
        for row in rows:
            row.message["type"] = names[row.message["type"]]
            if field_before in row.message:
                row.message[field_after] = row.message.pop(field_before)
        change.objects.bulk_update(rows, ["message"])
        last = rows[-1].pk


def to_scribbles(apps, schema_editor):
    rename_messages(apps, NAMES, "stroke", "scribble")


def to_strokes(apps, schema_editor):
    rename_messages(apps, {after: before for before, after in NAMES.items()}, "scribble", "stroke")


class Migration(migrations.Migration):
    dependencies = [
        ("annotation", "0006_export_formats"),
    ]

    operations = [
        migrations.RenameModel("Stroke", "Scribble"),
        migrations.RenameField("scribble", "object_number", "object_id"),
        migrations.AlterField(
            "scribble",
            "video",
            models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="scribbles", to="videos.video"),
        ),
        migrations.AlterField(
            "scribble",
            "round",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="drawn_scribbles",
                to="annotation.round",
            ),
        ),
        migrations.RunPython(to_scribbles, to_strokes),
    ]
