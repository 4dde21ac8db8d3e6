"""Tests of which worker computes a round: if possible, the worker that computed its base and still has the session."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from django.db.models import F
from django.utils import timezone

from tests.webapp.conftest import HEIGHT, WIDTH, make_video, painted, run, some_mask
from webapp.accounts.models import User
from webapp.annotation.claims import claim, finish, store
from webapp.annotation.models import Round
from webapp.annotation.objects import add_object
from webapp.annotation.painting import paint_mask
from webapp.annotation.previews import ask_preview
from webapp.inference import turns, workers
from webapp.inference.affinity import better_preview_queue, better_queue
from webapp.inference.models import Worker
from webapp.inference.tasks import run_round
from webapp.videos.models import Video

HOLDER = "gpu-1:77"


@pytest.fixture
def follow_up(video: Video, owner: User, settings: Any) -> Round:
    """Return a queued round. The worker HOLDER, which is alive and idle, has computed its base."""
    settings.TEAM_MODE = True
    Worker.objects.create(name=HOLDER, pid=77, device="cuda:0", heartbeat=timezone.now())
    first = run(video, owner, None)
    claimed = claim(first.pk, HOLDER)
    assert claimed
    store(claimed, [some_mask(0)])
    finish(claimed, complete=True)
    return run(video, owner, first.pk)


def test_a_mask_painted_in_between_does_not_count(follow_up: Round, video: Video, owner: User) -> None:
    labels = np.zeros((HEIGHT, WIDTH), np.uint8)
    data = painted(labels)
    made = paint_mask(video=video, author=owner, key=uuid4(), frame=0, object_id=1, data=data, over="all")
    assert better_queue(run(video, owner, made.pk).pk) == f"rounds.{HOLDER}"
    asked = ask_preview(video=video, author=owner, frame=0, engine="fake", click=None)
    assert better_preview_queue(asked) == f"rounds.{HOLDER}"


def test_it_goes_to_the_worker_that_has_the_session(follow_up: Round, sent_tasks: list[Any]) -> None:
    assert better_queue(follow_up.pk) == f"rounds.{HOLDER}"
    sent_tasks.clear()
    run_round(follow_up.pk)
    assert sent_tasks == [("inference.run_round", [follow_up.pk, True])]
    follow_up.refresh_from_db()
    assert follow_up.state == "queued"


@pytest.mark.parametrize("own_is_done", [False, True])
def test_a_task_that_forwards_another_round_begins_its_own_and_takes_none_back(
    follow_up: Round, video: Video, owner: User, sent_tasks: list[Any], monkeypatch: Any, own_is_done: bool
) -> None:
    other = make_video(video.project, owner)
    add_object(video=other, author=owner, name="Crab")
    own = run(other, owner, None)
    begun: list[int] = []
    monkeypatch.setattr(turns, "work_in_turns", lambda pk: begun.append(pk) or not own_is_done)
    sent_tasks.clear()
    run_round(own.pk)
    assert sent_tasks == [("inference.run_round", [follow_up.pk, True])]
    assert begun == [own.pk]


def embedded(row: Round, settings: Any) -> None:
    settings.TEAM_MODE = False


def dead(row: Round, settings: Any) -> None:
    Worker.objects.update(heartbeat=timezone.now() - timedelta(minutes=1))


def busy(row: Round, settings: Any) -> None:
    Round.objects.create(
        video_id=row.video_id,
        number=99,
        key="00000000-0000-4000-8000-000000000000",
        author_id=row.author_id,
        frame=0,
        scribbles=[],
        num_objects=1,
        engine="fake",
        state="running",
        worker=HOLDER,
    )


def waited(row: Round, settings: Any) -> None:
    Round.objects.filter(pk=row.pk).update(created_at=F("created_at") - timedelta(seconds=10))


def mine(row: Round, settings: Any) -> None:
    assert row.base_id is not None
    Round.objects.filter(pk=row.base_id).update(worker=workers.own_name())


@pytest.mark.parametrize("change", [embedded, dead, busy, waited, mine])
def test_it_stays_where_it_is(follow_up: Round, settings: Any, change: Callable[[Round, Any], None]) -> None:
    change(follow_up, settings)
    assert better_queue(follow_up.pk) is None
