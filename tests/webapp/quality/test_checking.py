"""Tests of comparing what is submitted with hidden ground truth."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from tests.webapp.annotation.test_undo import done
from tests.webapp.jobs.conftest import at, do, job_of
from webapp.accounts.models import User
from webapp.annotation.scores import store_score
from webapp.jobs.describe import job_info
from webapp.jobs.models import Job, JobEvent
from webapp.notifications.models import Notification
from webapp.projects.models import Project
from webapp.quality.checking import change_rule, check_submitted
from webapp.videos.models import Video

CELLS = [(2, 1, 0.5, 0.7), (4, 1, 0.9, 1.0)]


@pytest.fixture
def job(video: Video, annotator: User, reviewer: User, sent_tasks: list) -> Job:
    """Return the annotator's job of frames 0 to 3 of a video. Its frames 2 and 4 have ground truth."""
    Video.objects.update(truth_frames=[2, 4], truth_objects=1)
    Job.objects.update(assignee=annotator, reviewer=reviewer, last=3)
    return job_of(video)


def annotate(video: Video, by: User, cells: list[tuple[int, int, float, float]] = CELLS) -> int:
    made = done(video, by, video.head.round_id if hasattr(video, "head") else None, [0, 1, 2, 3])
    store_score(round_id=made.pk, objects=[], frames={}, cells=cells)
    video.refresh_from_db()
    return made.pk


def ask(project: Project, manager: User, **rule: object) -> None:
    change_rule(by=manager, project_id=project.pk, changed={"least_jf": 0.8, **rule})


def test_a_bad_submission_is_flagged_for_reviewers_only(
    job: Job,
    video: Video,
    project: Project,
    manager: User,
    annotator: User,
    reviewer: User,
    client_as: Callable[[User | None], Client],
) -> None:
    ask(project, manager)
    annotate(video, annotator)
    do(annotator, job, "start", "submit")
    assert at(job) == ("validation", "new")
    info = client_as(reviewer).get(f"/api/jobs/{job.pk}").json()
    assert (info["jf"], info["flagged"]) == (pytest.approx(0.6), True)  # Only the frames of the job count.
    assert (info["j"] + info["f"]) / 2 == pytest.approx(0.6)
    hidden = client_as(annotator).get(f"/api/jobs/{job.pk}").json()
    assert [hidden[name] for name in ("j", "f", "jf", "flagged")] == [None] * 4
    card = client_as(annotator).get(f"/api/videos/{video.pk}").json()
    assert card["has_truth"] is False
    assert client_as(reviewer).get(f"/api/videos/{video.pk}").json()["has_truth"] is True
    page = f"/api/projects/{project.pk}/cards"
    assert client_as(annotator).get(page).json()["cards"][0]["has_truth"] is False
    assert client_as(reviewer).get(page).json()["cards"][0]["has_truth"] is True


def test_a_bad_submission_is_held_as_often_as_the_project_allows(
    job: Job, video: Video, project: Project, manager: User, annotator: User
) -> None:
    ask(project, manager, below="hold", attempts=2)
    annotate(video, annotator)
    for _ in range(2):
        do(annotator, job, "start", "submit")
        assert at(job) == ("annotation", "rejected")
    held = JobEvent.objects.filter(action="hold")
    assert (held.count(), Notification.objects.filter(kind="sent_back").count()) == (2, 2)
    assert "frame 2" not in held[0].note
    note = job_info(annotator, job.pk).note
    assert note is not None
    assert (note.text, note.by) == (held[1].note, None)  # It was the check that wrote it.
    links = Notification.objects.filter(kind="sent_back").values_list("link", flat=True)
    assert set(links) == {f"/videos/{video.pk}?job={job.pk}"}
    do(annotator, job, "start", "submit")
    assert (at(job), job.flagged, job.holds) == (("validation", "new"), True, 2)


def test_a_good_submission_goes_on(job: Job, video: Video, project: Project, manager: User, annotator: User) -> None:
    ask(project, manager, below="hold")
    annotate(video, annotator, [(2, 1, 0.9, 0.9)])
    do(annotator, job, "start", "submit")
    assert (at(job), job.flagged, job.jf) == (("validation", "new"), False, pytest.approx(0.9))


def test_a_submission_is_checked_when_its_score_arrives(
    job: Job, video: Video, project: Project, manager: User, annotator: User
) -> None:
    ask(project, manager, below="hold")
    made = done(video, annotator, None, [0, 1, 2, 3])
    do(annotator, job, "start", "submit")
    assert (at(job), job.checked) == (("validation", "new"), False)
    store_score(round_id=made.pk, objects=[], frames={}, cells=CELLS)
    check_submitted(video.pk)
    assert at(job) == ("annotation", "rejected")
    check_submitted(video.pk)
    assert JobEvent.objects.filter(action="hold").count() == 1


def test_a_job_that_a_reviewer_accepted_before_its_score_arrived_is_flagged_and_not_held(
    job: Job, video: Video, project: Project, manager: User, annotator: User, reviewer: User
) -> None:
    ask(project, manager, below="hold")
    Job.objects.filter(pk=job.pk).update(reviewer=reviewer)
    made = done(video, annotator, None, [0, 1, 2, 3])
    do(annotator, job, "start", "submit")
    do(reviewer, job, "accept")
    store_score(round_id=made.pk, objects=[], frames={}, cells=CELLS)
    check_submitted(video.pk)
    assert (at(job), job.checked, job.flagged) == (("acceptance", "completed"), True, True)


def test_a_submission_without_masks_misses_everything(
    job: Job, video: Video, project: Project, manager: User, annotator: User
) -> None:
    ask(project, manager)
    do(annotator, job, "start", "submit")
    assert (job.flagged, job.jf) == (True, 0)
