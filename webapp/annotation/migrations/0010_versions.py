"""Add versions that no engine made, rounds of several frames and of a span, locked and absent objects, clicks and
boxes, and human time.

Existing rows keep their meaning: each scribble of a round gets the frame of its round.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import F

AT_ONCE = 500  # The number of rounds that are rewritten in one statement.


def complete_scribbles(apps, schema_editor):
    rounds = apps.get_model("annotation", "Round")
    last = 0
    while rows := list(rounds.objects.filter(pk__gt=last).only("frame", "scribbles").order_by("pk")[:AT_ONCE]):
        for row in rows:
            for scribble in row.scribbles:
                scribble.setdefault("frame", row.frame)
                scribble.setdefault("kind", "scribble")
                scribble.setdefault("positive", True)
        rounds.objects.bulk_update(rows, ["scribbles"])
        last = rows[-1].pk
    apps.get_model("annotation", "Object").objects.update(position=F("number"))


class Migration(migrations.Migration):
    dependencies = [
        ("annotation", "0009_lease"),
        ("videos", "0006_cuts"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterModelOptions("object", {"ordering": ["position", "number"]}),
        migrations.AddField("object", "position", models.PositiveIntegerField(default=0)),
        migrations.AddField("object", "locked", models.BooleanField(default=False)),
        migrations.AddField("object", "absent", models.JSONField(default=list)),
        migrations.AddField(
            "round",
            "origin",
            models.CharField(
                choices=[
                    ("round", "Round"),
                    ("painted", "Painted"),
                    ("edited", "Edited"),
                    ("imported", "Imported"),
                ],
                default="round",
                max_length=12,
            ),
        ),
        migrations.AddField("round", "span", models.JSONField(null=True)),
        migrations.AddField(
            "round",
            "direction",
            models.CharField(
                choices=[("both", "Both"), ("forward", "Forward"), ("backward", "Backward")],
                default="both",
                max_length=8,
            ),
        ),
        migrations.AddField("round", "objects_changed", models.JSONField(null=True)),
        migrations.AddField("round", "across_cuts", models.BooleanField(default=False)),
        migrations.AddField("round", "edit", models.JSONField(null=True)),
        migrations.AddField(
            "scribble",
            "kind",
            models.CharField(
                choices=[("scribble", "Scribble"), ("click", "Click"), ("box", "Box")],
                default="scribble",
                max_length=8,
            ),
        ),
        migrations.AddField("scribble", "positive", models.BooleanField(default=True)),
        migrations.CreateModel(
            "HumanTime",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("object_id", models.PositiveSmallIntegerField()),
                ("seconds", models.FloatField(default=0)),
                (
                    "author",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "video",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="human_times", to="videos.video"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("video", "object_id", "author"), name="human_time_once_per_object_and_author"
                    )
                ]
            },
        ),
        migrations.RunPython(complete_scribbles, migrations.RunPython.noop),
    ]
