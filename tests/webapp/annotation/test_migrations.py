"""Tests that database migrations keep what was stored before them: scribbles, rounds, objects and messages."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.state import StateApps

from tests.webapp.conftest import draw, make_video, run
from webapp.accounts.models import User
from webapp.annotation.models import Change, Round, Scribble
from webapp.annotation.objects import add_object
from webapp.annotation.state import state_of
from webapp.projects.models import Project, Role
from webapp.videos.models import Video

BEFORE_SCRIBBLES = [("annotation", "0006_export_formats"), ("videos", "0005_pixel_aspect")]
BEFORE_VERSIONS = [("annotation", "0009_lease"), ("videos", "0005_pixel_aspect")]


def migrate_to(targets: list[tuple[str, str]]) -> StateApps:
    """Migrate the database backward or forward to `targets`, and return the models as they are at these migrations."""
    executor = MigrationExecutor(connection)
    executor.migrate(targets)
    return executor.loader.project_state(targets).apps


@pytest.mark.django_db(transaction=True)
def test_scribbles_rounds_objects_and_messages_survive_in_both_directions(
    video: Video, project: Project, owner: User, sent_tasks: list
) -> None:
    """Everything is checked by one migration back and forward, because each takes long."""
    used = run(video, owner, None).drawn_scribbles.get()
    waiting = draw(video, owner, frame=3)
    other = make_video(project, owner)
    add_object(video=other, author=owner, name="Fish")
    scribbles = [{**row, "next_number": None} for row in Scribble.objects.order_by("pk").values()]  # Its column goes.
    messages = list(Change.objects.order_by("pk").values_list("message", flat=True))
    latest = MigrationExecutor(connection).loader.graph.leaf_nodes()
    try:
        old = migrate_to(BEFORE_SCRIBBLES)
        check_strokes(old, used, waiting)
        drawn_before = old.get_model("annotation", "Stroke").objects.create(
            video_id=video.pk, key=uuid4(), frame=5, object_number=1, path=[[0.5, 0.5]], author_id=owner.pk
        )
        made = make_round_before_versions(migrate_to(BEFORE_VERSIONS), other, owner)
    finally:
        MigrationExecutor(connection).migrate(latest)
    assert Scribble.objects.get(pk=drawn_before.pk).object_id == 1
    assert list(Scribble.objects.exclude(pk=drawn_before.pk).order_by("pk").values()) == scribbles
    assert list(Change.objects.order_by("pk").values_list("message", flat=True)) == messages
    check_round_before_versions(made.pk, other, owner)


def check_strokes(old: StateApps, used: Scribble, waiting: Scribble) -> None:
    """Check that both scribbles and their messages are stored under their former name, strokes."""
    strokes = old.get_model("annotation", "Stroke").objects
    assert list(strokes.order_by("pk").values_list("key", "round_id")) == [
        (used.key, used.round_id),
        (waiting.key, None),
    ]
    told = old.get_model("annotation", "Change").objects.filter(message__type="stroke.added").order_by("pk")
    assert [change.message["stroke"]["key"] for change in told] == [str(used.key), str(waiting.key)]


DRAWN = [{"path": [[0.1, 0.2]], "object_id": 1}, {"path": [[0.3, 0.4]], "object_id": 0}]


def make_round_before_versions(old: StateApps, video: Video, author: User) -> Any:
    return old.get_model("annotation", "Round").objects.create(
        video_id=video.pk,
        number=7,
        key=uuid4(),
        author_id=author.pk,
        frame=5,
        scribbles=DRAWN,
        num_objects=1,
        engine="flow",
        state="done",
        frames=[[0, 7]],
    )


def check_round_before_versions(made: int, video: Video, author: User) -> None:
    """Check the values that migrations gave the new columns of a round, an object and a video.

    The round has the id `made`. It was stored before there were painted and edited versions.
    """
    row = Round.objects.get(pk=made)
    assert (row.origin, row.drawn, row.span, row.direction, row.objects_changed) == ("round", [5], None, "both", None)
    assert row.scribbles == [{**scribble, "frame": 5, "kind": "scribble", "positive": True} for scribble in DRAWN]
    counted = Video.objects.get(pk=video.pk)
    assert (counted.rounds_made, counted.worked_by_id, counted.worked_at) == (1, author.pk, row.created_at)
    info = state_of(counted, Role.OWNER)
    assert [(instance.position, instance.locked) for instance in info.objects] == [(1, False)]
    assert (info.absent, info.cuts, info.seconds) == ({}, [], {})
    assert [round_.id for round_ in info.rounds] == [made]
