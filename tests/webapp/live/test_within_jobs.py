"""Tests of the frames that people may change in a project whose annotators see only their jobs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from django.test import Client

from tests.webapp.annotation.test_undo import done
from tests.webapp.conftest import HEIGHT, WIDTH, make_video, painted
from tests.webapp.jobs.conftest import at, do
from webapp.accounts.models import User
from webapp.annotation.models import Round, Scribble
from webapp.annotation.state import last_mask
from webapp.jobs.models import Job
from webapp.live.actions import perform
from webapp.live.client_messages import client_messages
from webapp.problems import NotFound, Problem
from webapp.projects.models import Project, Sees
from webapp.videos.access import videos_of
from webapp.videos.models import Video

PATH = [[0.1, 0.2], [0.3, 0.4]]


def send(user: User, video: Video, kind: str, /, **fields: Any) -> int | None:
    message = client_messages.validate_python({**fields, "type": kind, "key": str(uuid4())})
    return perform(user, video.pk, message)  # type: ignore[arg-type]


def refused(user: User, video: Video, kind: str, /, **fields: Any) -> Problem:
    before = (Scribble.objects.count(), Round.objects.count())
    with pytest.raises(Problem) as problem:
        send(user, video, kind, **fields)
    assert (Scribble.objects.count(), Round.objects.count()) == before
    return problem.value


@pytest.fixture
def job(video: Video, project: Project, annotator: User, reviewer: User, sent_tasks: list) -> Job:
    """Cut the video: the annotator has the frames 2 to 5, the reviewer the others. Annotators see only their jobs."""
    Project.objects.update(sees=Sees.JOBS)
    Job.objects.update(last=1, assignee=reviewer)
    job = Job.objects.create(video=video, first=2, last=5, position=1, assignee=annotator)
    Job.objects.create(video=video, first=6, last=7, position=2, assignee=reviewer)
    return job


def test_the_first_stroke_starts_the_job(job: Job, video: Video, annotator: User) -> None:
    send(annotator, video, "scribble.add", frame=2, object=1, path=PATH)
    assert at(job) == ("annotation", "in_progress")
    assert Job.objects.filter(state="new").count() == 2


def test_frames_outside_are_locked_for_every_kind_of_change(job: Job, video: Video, annotator: User) -> None:
    made = done(video, annotator, None, [0, 1, 2])
    data = painted(np.ones((HEIGHT, WIDTH), np.uint8))
    span = {"first": 1, "last": 3}
    cases: list[tuple[str, dict[str, Any]]] = [
        ("scribble.add", {"frame": 6, "object": 1, "path": PATH}),
        ("prompt.add", {"frame": 1, "object": 1, "kind": "click", "points": [[0.5, 0.5]]}),
        ("mask.paint", {"frame": 0, "object": 1, "data": data, "over": "none"}),
        ("mask.edit", {"op": "clear", "objects": [1], **span}),
        ("span.absent", {"object": 1, "absent": True, **span}),
        ("frames.accept", {"accepted": True, "head": made.pk, "seen": last_mask(video.pk), **span}),
        ("object.accept", {"object": 1, "accepted": True, "head": made.pk, "seen": last_mask(video.pk), **span}),
        ("round.run", {"frames": [1, 2], "engine": "fake", "base": made.pk}),
        ("cuts.set", {"cuts": [7]}),
    ]
    for kind, fields in cases:
        problem = refused(annotator, video, kind, **fields)
        assert (kind, problem.code, problem.status) == (kind, "locked_frame", 409)
        assert "job of Reviewer. You can change the frames 2 to 5 here" in problem.text
    assert at(job) == ("annotation", "new")


def test_a_round_ends_where_the_job_ends(job: Job, video: Video, annotator: User) -> None:
    send(annotator, video, "scribble.add", frame=3, object=1, path=PATH)
    made = send(annotator, video, "round.run", frames=[3], engine="fake", base=None, across_cuts=True)
    assert Round.objects.get(pk=made or 0).span == [2, 5]


def test_rounds_and_objects_of_others_stay(job: Job, video: Video, annotator: User, reviewer: User) -> None:
    theirs = done(video, reviewer, None, [0])
    own = done(video, annotator, theirs.pk, [2])
    assert refused(annotator, video, "head.move", from_round=own.pk, to_round=None).code == "locked_rounds"
    send(annotator, video, "head.move", from_round=own.pk, to_round=theirs.pk)
    assert refused(annotator, video, "object.update", number=1, deleted=True).code == "locked_object"
    send(annotator, video, "object.update", number=1, name="Eel")
    number = send(annotator, video, "object.add", name="Own")
    send(annotator, video, "object.update", number=number, deleted=True)


def test_a_job_that_was_submitted_is_locked_until_it_is_taken_back(job: Job, video: Video, annotator: User) -> None:
    do(annotator, job, "start", "submit")
    problem = refused(annotator, video, "scribble.add", frame=2, object=1, path=PATH)
    assert "Your job with frame 2 is completed in annotation. Take it back first." in problem.text
    do(annotator, job, "reopen")
    send(annotator, video, "scribble.add", frame=2, object=1, path=PATH)


def test_reviewers_change_every_frame(job: Job, video: Video, reviewer: User, manager: User) -> None:
    for user in (reviewer, manager):
        send(user, video, "scribble.add", frame=4, object=0, path=PATH)
    assert at(job) == ("annotation", "new")


def test_where_everybody_sees_everything_nothing_is_locked(job: Job, video: Video, annotator: User) -> None:
    Project.objects.update(sees=Sees.ALL)
    send(annotator, video, "scribble.add", frame=7, object=1, path=PATH)


def test_annotators_see_only_the_videos_of_their_jobs(
    job: Job,
    video: Video,
    project: Project,
    annotator: User,
    viewer: User,
    reviewer: User,
    client_as: Callable[[User | None], Client],
) -> None:
    other = make_video(project, reviewer)
    assert set(videos_of(annotator)) == {video}
    assert set(videos_of(viewer)) == set(videos_of(reviewer)) == {video, other}
    client = client_as(annotator)
    video_calls = ("", "/state", "/rounds", "/line")
    for address in (*(f"/api/videos/{other.pk}{call}" for call in video_calls), f"/api/jobs?video={other.pk}"):
        assert client.get(address).status_code == 404
    assert [job["id"] for job in client.get("/api/jobs").json()["jobs"]] == [job.pk]
    theirs = Job.objects.exclude(pk=job.pk).first()
    assert theirs is not None
    assert client.get(f"/api/jobs/{theirs.pk}").status_code == 404
    assert client.get(f"/api/projects/{project.pk}").json()["cover"] is None
    assert (
        client.post(f"/api/projects/{project.pk}/exports", {"format": "davis"}, "application/json").status_code == 403
    )
    with pytest.raises(NotFound):
        send(annotator, other, "object.add", name="Eel")
    Job.objects.filter(pk=job.pk).update(assignee=None)
    assert set(videos_of(annotator)) == set()


def test_without_an_open_job_nothing_is_undone_or_deleted(job: Job, video: Video, annotator: User) -> None:
    own = done(video, annotator, None, [2])
    number = send(annotator, video, "object.add", name="Own")
    do(annotator, job, "start", "submit")
    undo = refused(annotator, video, "head.move", from_round=own.pk, to_round=None)
    deletion = refused(annotator, video, "object.update", number=number, deleted=True)
    assert (undo.code, deletion.code) == ("locked_rounds", "locked_object")
    assert "You have no open job in this video." in undo.text
    do(annotator, job, "reopen")
    send(annotator, video, "object.update", number=number, deleted=True)
    send(annotator, video, "head.move", from_round=own.pk, to_round=None)


def test_a_job_of_the_whole_video_does_not_restore_what_others_added(video: Video, job: Job, annotator: User) -> None:
    Job.objects.exclude(pk=job.pk).delete()
    Job.objects.update(first=0, last=video.frame_count - 1)
    for deleted in (True, False):
        problem = refused(annotator, video, "object.update", number=1, deleted=deleted)
        assert (problem.code, problem.status) == ("locked_object", 409)
    number = send(annotator, video, "object.add", name="Own")
    for deleted in (True, False):
        send(annotator, video, "object.update", number=number, deleted=deleted)
