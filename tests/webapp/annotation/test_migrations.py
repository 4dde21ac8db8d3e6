"""Tests that database migrations keep scribbles, rounds and objects."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from tests.webapp.conftest import draw, run
from webapp.accounts.models import User
from webapp.annotation.models import Change, Round, Scribble
from webapp.annotation.state import state_of
from webapp.projects.models import Role
from webapp.videos.models import Video

BEFORE = ("annotation", "0006_export_formats")


@pytest.mark.django_db(transaction=True)
def test_scribbles_and_their_messages_survive_the_renaming_in_both_directions(
    video: Video, owner: User, sent_tasks: list
) -> None:
    used = run(video, owner, None).drawn_scribbles.get()
    waiting = draw(video, owner, frame=3)
    scribbles = list(Scribble.objects.order_by("pk").values())
    messages = list(Change.objects.order_by("pk").values_list("message", flat=True))
    latest = MigrationExecutor(connection).loader.graph.leaf_nodes()
    try:
        executor = MigrationExecutor(connection)
        executor.migrate([BEFORE])
        old = executor.loader.project_state([BEFORE]).apps
        strokes = old.get_model("annotation", "Stroke")
        assert list(strokes.objects.order_by("pk").values_list("key", "round_id")) == [
            (used.key, used.round_id),
            (waiting.key, None),
        ]
        told = old.get_model("annotation", "Change").objects.filter(message__type="stroke.added").order_by("pk")
        assert [change.message["stroke"]["key"] for change in told] == [str(used.key), str(waiting.key)]
        drawn_before = strokes.objects.create(
            video_id=video.pk, key=uuid4(), frame=5, object_number=1, path=[[0.5, 0.5]], author_id=owner.pk
        )
    finally:
        MigrationExecutor(connection).migrate(latest)
    assert Scribble.objects.get(pk=drawn_before.pk).object_id == 1
    assert list(Scribble.objects.exclude(pk=drawn_before.pk).order_by("pk").values()) == scribbles
    assert list(Change.objects.order_by("pk").values_list("message", flat=True)) == messages


@pytest.mark.django_db(transaction=True)
def test_rounds_and_objects_of_before_versions_keep_their_meaning(video: Video, owner: User, sent_tasks: list) -> None:
    before = [("annotation", "0009_lease"), ("videos", "0005_pixel_aspect")]
    latest = MigrationExecutor(connection).loader.graph.leaf_nodes()
    try:
        executor = MigrationExecutor(connection)
        executor.migrate(before)
        old = executor.loader.project_state(before).apps
        drawn = [{"path": [[0.1, 0.2]], "object_id": 1}, {"path": [[0.3, 0.4]], "object_id": 0}]
        made = old.get_model("annotation", "Round").objects.create(
            video_id=video.pk,
            number=7,
            key=uuid4(),
            author_id=owner.pk,
            frame=5,
            scribbles=drawn,
            num_objects=1,
            engine="flow",
            state="done",
            frames=[[0, 7]],
        )
    finally:
        MigrationExecutor(connection).migrate(latest)
    row = Round.objects.get(pk=made.pk)
    assert (row.origin, row.drawn, row.span, row.direction, row.objects_changed) == ("round", [5], None, "both", None)
    assert row.scribbles == [{**scribble, "frame": 5, "kind": "scribble", "positive": True} for scribble in drawn]
    counted = Video.objects.get(pk=video.pk)
    assert (counted.rounds_made, counted.worked_by_id, counted.worked_at) == (1, owner.pk, row.created_at)
    info = state_of(Video.objects.get(pk=video.pk), Role.OWNER)
    assert [(instance.position, instance.locked) for instance in info.objects] == [(1, False)]
    assert (info.absent, info.cuts, info.seconds) == ({}, [], {})
    assert [round_.id for round_ in info.rounds] == [made.pk]
