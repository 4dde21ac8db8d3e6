"""Tests of the order in which workers begin rounds."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now

from tests.webapp.conftest import make_video, run
from webapp.accounts.models import User
from webapp.annotation.claims import claim
from webapp.annotation.models import Round, RoundState
from webapp.annotation.objects import add_object
from webapp.inference import tasks, turns
from webapp.inference.models import Worker
from webapp.inference.order import next_round
from webapp.projects.models import Project

pytestmark = pytest.mark.django_db


def waiting(project: Project, author: User) -> Round:
    video = make_video(project, author)
    add_object(video=video, author=author)
    return run(video, author, None)


def test_projects_and_then_authors_with_few_running_rounds_come_first(
    project: Project, owner: User, annotator: User, sent_tasks: list[Any]
) -> None:
    batch = [waiting(project, owner) for _ in range(4)]
    colleague = waiting(project, annotator)
    elsewhere = waiting(Project.objects.create(name="Kelp", created_by=owner), annotator)
    begun = []
    while (chosen := next_round()) is not None:
        begun.append(chosen)
        assert claim(chosen, "w")
    rows = [batch[0], elsewhere, batch[1], colleague, batch[2], batch[3]]
    assert begun == [row.pk for row in rows]


def test_a_round_waits_for_the_older_and_the_running_one_of_its_video(
    project: Project, owner: User, annotator: User, sent_tasks: list[Any]
) -> None:
    first = waiting(project, owner)
    second = run(first.video, annotator, first.pk, frame=3)
    assert next_round() == first.pk
    assert claim(first.pk, "w")
    assert next_round() is None
    Round.objects.filter(pk=first.pk).update(state=RoundState.DONE)
    assert next_round() == second.pk


@pytest.mark.parametrize(
    ("age", "draining", "taken"), [(0, False, False), (2, False, True), (0, True, True)], ids=["idle", "late", "drains"]
)
def test_a_busy_worker_leaves_a_round_to_an_idle_one_for_a_second(
    project: Project, owner: User, sent_tasks: list[Any], age: int, draining: bool, taken: bool
) -> None:
    row = waiting(project, owner)
    Worker.objects.create(name="gpu-1:77", pid=77, device="cpu", heartbeat=Now(), draining=draining)
    Round.objects.filter(pk=row.pk).update(notified_at=Now() - timedelta(seconds=age))
    assert (next_round(busy=True) is not None) == taken
    assert next_round() == row.pk


def test_each_task_begins_one_round_whosever_it_is(
    project: Project, owner: User, sent_tasks: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [waiting(project, owner) for _ in range(2)]
    rows.append(waiting(Project.objects.create(name="Kelp", created_by=owner), owner))
    begun: list[int] = []

    def begin(round_id: int) -> bool:
        if claim(round_id, "w") is None:
            return False
        begun.append(round_id)
        return True

    monkeypatch.setattr(turns, "work_in_turns", begin)
    for row in rows:
        tasks.run_round(row.pk)
    tasks.run_round(rows[0].pk)
    assert begun == [rows[0].pk, rows[2].pk, rows[1].pk]


def test_a_forwarded_round_that_is_gone_leaves_its_task_to_another(
    project: Project, owner: User, sent_tasks: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, other = waiting(project, owner), waiting(project, owner)
    assert claim(gone.pk, "w")
    monkeypatch.setattr(turns, "work_in_turns", lambda round_id: claim(round_id, "w") is not None)
    tasks.run_round(gone.pk, True)
    other.refresh_from_db()
    assert other.state == RoundState.RUNNING
