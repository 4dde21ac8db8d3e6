"""Tests of the numbers about people's work (seconds, rounds, J&F and so on), and of the curve of J&F over human
time.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from django.test import Client
from django.utils import timezone

from tests.webapp.annotation.test_undo import done
from tests.webapp.conftest import HEIGHT, WIDTH, accept, draw, painted
from tests.webapp.jobs.conftest import do, job_of
from webapp.accounts.models import User
from webapp.annotation.human_time import add_seconds
from webapp.annotation.models import HumanTime, Object
from webapp.annotation.objects import add_object
from webapp.annotation.painting import paint_mask
from webapp.annotation.pins import NewPin, add_pin
from webapp.annotation.schemas import ObjectScore
from webapp.annotation.scores import store_score
from webapp.jobs.models import Job
from webapp.projects.models import Label, Project
from webapp.quality.numbers import By, curve_of, numbers_of
from webapp.quality.schemas import NumbersRow
from webapp.videos.models import Video

WORSE = [ObjectScore(object=1, truth=1, j=0.4, f=0.45)]
JF = [ObjectScore(object=1, truth=1, j=0.6, f=0.8)]


@pytest.fixture
def work(video: Video, project: Project, annotator: User, reviewer: User, sent_tasks: list) -> Video:
    """Return a video whose job the annotator worked on, and the reviewer rejected once, corrected and accepted."""
    label = Label.objects.create(project=project, name="Fish", color="#112233")
    Object.objects.update(label=label)
    Job.objects.update(assignee=annotator, reviewer=reviewer)
    job = job_of(video)
    add_seconds(video=video, author=annotator, object_id=1, seconds=30)
    made = done(video, annotator, None, [0, 1, 2])
    store_score(round_id=made.pk, objects=JF, frames={}, cells=[(2, 1, 0.6, 0.8)])
    do(annotator, job, "start", "submit")
    do(reviewer, job, "reject")
    add_seconds(video=video, author=annotator, object_id=0, seconds=10)
    add_seconds(video=video, author=reviewer, object_id=1, seconds=5)
    do(annotator, job, "start", "submit")
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[:4, :5] = 1
    fixed = paint_mask(
        video=video,
        author=reviewer,
        key="6f1b0c1e-5a63-4f0c-9d4e-0e6c5a1b2c3d",
        frame=7,
        object_id=1,
        data=painted(mask),
        over="none",
    )
    store_score(
        round_id=fixed.pk,
        objects=WORSE,
        frames={},
        cells=[(2, 1, 0.8, 0.9), (5, 0, 0, 0)],
    )
    accept(video, reviewer, 0, 2)
    do(reviewer, job, "accept")
    return video


def row(project: Project, by: By, name: str, **days: date) -> NumbersRow:
    (found,) = [row for row in numbers_of(project.pk, by, **days) if row.name == name]
    return found


def test_numbers_by_person_tell_work_from_corrections(work: Video, project: Project) -> None:
    annotator, reviewer = row(project, "person", "Annotator"), row(project, "person", "Reviewer")
    assert (annotator.human_seconds, annotator.rounds, annotator.corrections, annotator.strokes) == (40, 1, 0, 1)
    assert (annotator.submissions, annotator.rejections, annotator.accepted_frames) == (2, 1, 3)
    assert (annotator.j, annotator.f, annotator.jf) == (0.4, 0.45, 0.425)  # Who has the job answers for its masks.
    assert (annotator.rounds_to_accept, annotator.seconds_to_accept) == (1, 45)
    assert (reviewer.human_seconds, reviewer.rounds, reviewer.corrections, reviewer.painted_pixels) == (5, 0, 1, 20)
    assert (reviewer.submissions, reviewer.jf) == (0, None)


def test_rounds_that_came_with_a_copied_video_count_where_they_were_made(work: Video, project: Project) -> None:
    Video.objects.filter(pk=work.pk).update(created_at=timezone.now())
    annotator = row(project, "person", "Annotator")
    assert (annotator.rounds, annotator.rounds_to_accept) == (0, 0)


def test_numbers_by_label_video_week_engine_and_object(work: Video, project: Project) -> None:
    fish = row(project, "label", "Fish")
    assert (fish.human_seconds, fish.j, fish.painted_pixels) == (35, 0.8, 20)
    assert row(project, "object", "reef.mp4: Fish").human_seconds == 35
    assert row(project, "video", "reef.mp4").human_seconds == 45
    today = timezone.now().date()
    monday = today - timedelta(days=today.weekday())
    assert row(project, "week", monday.isoformat()).human_seconds == 45
    assert row(project, "engine", "fake").rounds == 1
    assert numbers_of(project.pk, "video", since=today + timedelta(days=1)) == []
    assert row(project, "video", "reef.mp4", until=today).rounds == 1
    HumanTime.objects.update(day=None)
    assert row(project, "video", "reef.mp4", until=today).human_seconds == 0


def test_a_round_on_two_objects_counts_once_in_each_group(video: Video, project: Project, annotator: User) -> None:
    label = Label.objects.create(project=project, name="Fish", color="#112233")
    add_object(video=video, author=annotator, name="Crab")
    Object.objects.update(label=label)
    draw(video, annotator, 0, 2)
    done(video, annotator, None, [0, 1])
    monday = timezone.now().date() - timedelta(days=timezone.now().date().weekday())
    groups: dict[By, str] = {
        "person": "Annotator",
        "video": "reef.mp4",
        "week": monday.isoformat(),
        "engine": "fake",
        "label": "Fish",
    }
    for by, name in groups.items():
        assert (by, row(project, by, name).rounds) == (by, 1)
    assert [row.rounds for row in numbers_of(project.pk, "object")] == [1, 1]  # It is a round of each of them.
    Job.objects.update(assignee=User.objects.create(username="other"))
    assert row(project, "person", "Annotator").corrections == 1


def test_a_pin_that_an_annotator_puts_on_their_own_object_is_no_rejection(
    work: Video, project: Project, annotator: User, reviewer: User
) -> None:
    add_pin(video=work, author=annotator, pin=NewPin(1, "Is this the fin?", object_id=1))
    add_pin(video=work, author=reviewer, pin=NewPin(1, "Edge", object_id=1), reviews=True)
    assert row(project, "person", "Annotator").rejected_objects == 1


def test_the_curve_has_the_human_seconds_at_each_scored_round(work: Video, project: Project) -> None:
    assert [(point.round, point.human_seconds, point.jf) for point in curve_of(project.pk)] == [
        (1, 30, 0.7),
        (2, 45, 0.425),
    ]


def test_numbers_come_as_csv_and_not_for_annotators(
    work: Video, project: Project, reviewer: User, annotator: User, client_as: Callable[[User | None], Client]
) -> None:
    address = f"/api/projects/{project.pk}/numbers"
    text = client_as(reviewer).get(f"{address}.csv?by=video").content.decode("utf-8-sig")
    header, line = text.splitlines()
    values: dict[str, Any] = dict(zip(header.split(","), line.split(","), strict=True))
    assert (values["name"], values["human_seconds"], values["rounds"]) == ("reef.mp4", "45.0", "1.0")
    rows = client_as(reviewer).get(f"{address}?by=video").json()["rows"]
    assert [row["human_seconds"] for row in rows] == [45]
    assert client_as(annotator).get(address).status_code == 403
    assert client_as(reviewer).get(f"{address}?by=moon").status_code == 422


def test_a_video_in_the_trash_does_not_count(work: Video, project: Project) -> None:
    Video.objects.update(deleted_at=timezone.now())
    assert (numbers_of(project.pk, "person"), curve_of(project.pk)) == ([], [])
