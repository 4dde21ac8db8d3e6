"""Tests of consensus: several people do a job in copies of its video, and none sees the copies of the others.

A worker compares the copies and merges them. One test is of known clips in people's queues.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.conftest import make_user
from tests.webapp.conftest import accept, lose_worker, painted
from tests.webapp.jobs.conftest import do, job_of
from webapp.accounts.models import User
from webapp.annotation.codec import decode
from webapp.annotation.head import head_of
from webapp.annotation.masks import mask_at
from webapp.annotation.models import Head, Object
from webapp.annotation.objects import add_object, update_object
from webapp.annotation.painting import paint_mask
from webapp.annotation.undo import move_head
from webapp.inference import consensus as worker
from webapp.jobs.models import Job, JobState, Stage
from webapp.jobs.queue import pools_of, work_of
from webapp.problems import Problem
from webapp.projects.models import Membership, Project, Role
from webapp.quality.consensus_lease import AGREE, CONSENSUS, MERGE, Lost
from webapp.quality.copies import ask_for
from webapp.quality.models import Computing, Consensus
from webapp.storage.failure import StorageAway
from webapp.storage.files import storage
from webapp.videos import copying
from webapp.videos.access import videos_of
from webapp.videos.create import create_video
from webapp.videos.import_queue import IMPORTS
from webapp.videos.models import Video
from webapp.videos.storage import folder_of

JSON = "application/json"
HEIGHT, WIDTH = 24, 32


@pytest.fixture
def people(project: Project, annotator: User) -> list[User]:
    others = [make_user(name) for name in ("second", "third")]
    for user in others:
        Membership.objects.create(project=project, user=user, role=Role.ANNOTATOR)
    return [annotator, *others]


@pytest.fixture
def video(project: Project, owner: User, settings: Any, tmp_path: Path, sent_tasks: list[Any]) -> Video:
    settings.HOME = tmp_path
    truth = [np.eye(HEIGHT, WIDTH, dtype=np.uint8), None, None]
    frames = [np.full((HEIGHT, WIDTH, 3), 40 * index, np.uint8) for index in range(3)]
    video = create_video(project=project, name="reef", frames=frames, truth=truth, author=owner)
    add_object(video=video, author=owner, name="Fish")
    return video


@pytest.fixture
def client(manager: User) -> Client:
    client = Client()
    client.force_login(manager)
    return client


def columns(*filled: int) -> np.ndarray[Any, Any]:
    labels = np.zeros((HEIGHT, WIDTH), np.uint8)
    labels[:, list(filled)] = 1
    return labels


def paint(video: Video, by: User, frame: int, labels: np.ndarray[Any, Any], number: int = 1) -> None:
    key = f"6f1b0c1e-5a63-4f0c-9d4e-{video.pk:06d}{frame:03d}{number:03d}"
    data = painted(labels)
    paint_mask(video=video, author=by, key=key, frame=frame, object_id=number, data=data, over="all")


def give(client: Client, job: Job, people: list[User]) -> Any:
    return client.post(f"/api/jobs/{job.pk}/consensus", {"people": [user.pk for user in people]}, JSON)


def test_nobody_sees_the_copies_of_others(
    client: Client, video: Video, people: list[User], reviewer: User, viewer: User
) -> None:
    answer = give(client, job_of(video), people)
    assert answer.status_code == 201
    copies = answer.json()["copies"]
    assert [copy["person"]["id"] for copy in copies] == [user.pk for user in people]
    for user, copy in zip(people, copies, strict=True):
        assert [video.pk for video in videos_of(user).filter(is_copy=True)] == [copy["video"]]
        assert [job.video for job in work_of(user).jobs] == [copy["video"]]
        assert pools_of(user, 1) == []
    assert videos_of(reviewer).count() == 4
    assert videos_of(viewer).count() == 1
    assert folder_of(copies[0]["video"]).frame(2).read_bytes() == folder_of(video.pk).frame(2).read_bytes()
    assert list(Object.objects.filter(video=copies[0]["video"]).values_list("number", "name")) == [(1, "Fish")]
    assert give(client, job_of(video), people).json()["code"] == "work_begun"


def test_a_job_that_somebody_begins_while_its_files_are_copied_is_not_given(
    client: Client,
    video: Video,
    people: list[User],
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    job, real, depth = job_of(video), copying.copy_files, len(connection.savepoint_ids)

    def begin_meanwhile(source: Video, target: Video) -> Any:
        assert len(connection.savepoint_ids) == depth, "no transaction waits for the files"
        assert source == video
        Job.objects.filter(pk=job.pk).update(assignee=people[0], state=JobState.IN_PROGRESS)
        return real(source, target)

    monkeypatch.setattr(copying, "copy_files", begin_meanwhile)
    with django_capture_on_commit_callbacks(execute=True):
        answer = give(client, job, people)
    assert (answer.status_code, answer.json()["code"]) == (409, "work_begun")
    assert list(Video.objects.all()) == [video]
    assert [name for name in storage().folders("videos") if name.isdigit()] == [str(video.pk)]

    def lose_meanwhile(source: Video, target: Video) -> Any:
        lose_worker(IMPORTS, target)
        return real(source, target)

    Job.objects.filter(pk=job.pk).update(assignee=None, state=JobState.NEW)
    monkeypatch.setattr(copying, "copy_files", lose_meanwhile)
    with django_capture_on_commit_callbacks(execute=True):
        assert give(client, job, people).json()["code"] == "cancelled"
    assert list(Video.objects.all()) == [video], "copies that the sweep has ended are deleted too"
    assert [name for name in storage().folders("videos") if name.isdigit()] == [str(video.pk)]
    monkeypatch.setattr(copying, "copy_files", Mock(side_effect=FileNotFoundError))
    assert client.post(f"/api/videos/{video.pk}/mix-in", {"people": [people[0].pk]}, JSON).status_code == 404


def test_copies_are_compared_and_merged_by_vote_into_a_version_that_can_be_undone(
    client: Client,
    video: Video,
    people: list[User],
    manager: User,
    sent_tasks: list[Any],
    django_capture_on_commit_callbacks: Any,
) -> None:
    job = job_of(video)
    copies = give(client, job, people).json()["copies"]
    for filled, user, copy in zip(((1, 2), (2, 3), (2, 9)), people, copies, strict=True):
        own = Video.objects.get(pk=copy["video"])
        paint(own, user, 0, columns(*filled))
        if user != people[0]:
            number = add_object(video=own, author=user, name="Eel").number
            paint(own, user, 1, columns(5, 6), number)
        if user == people[0]:
            late = client.post(f"/api/jobs/{job.pk}/consensus/merge").json()
            assert (late["code"], late["text"]) == ("not_ended", "The copy of Annotator is not submitted yet.")
        do(user, job_of(own), "start", "submit")
    number = Consensus.objects.get().pk
    with django_capture_on_commit_callbacks(execute=True):
        asked = client.post(f"/api/jobs/{job.pk}/consensus/agreement").json()
    assert asked["computing"]
    assert (AGREE, [number]) in sent_tasks
    worker.run(number, worker.agree)
    found = client.get(f"/api/jobs/{job.pk}/consensus").json()
    assert (found["computing"], len(found["agreement"])) == (False, 3)
    # In frame 0, each two people share one of three columns. In frame 1, the first person has nothing, and the others
    # have the same.
    assert [round(pair["j"], 2) for pair in found["agreement"]] == [0.17, 0.17, 0.67]
    with django_capture_on_commit_callbacks(execute=True):
        client.post(f"/api/jobs/{job.pk}/consensus/merge")
    assert (MERGE, [number]) in sent_tasks
    worker.run(number, worker.merge)
    merged = client.get(f"/api/jobs/{job.pk}/consensus").json()["merged"]
    assert merged == 1
    masks = [mask_at(video.pk, head_of(video.pk), frame) for frame in (0, 1, 2)]
    assert [mask is None for mask in masks] == [False, False, True]
    assert (masks[0].labels == columns(2)).all()  # type: ignore[union-attr]
    assert (masks[1].labels == 2 * columns(5, 6)).all()  # type: ignore[union-attr]
    assert list(Object.objects.filter(video=video).values_list("number", "name")) == [(1, "Fish"), (2, "Eel")]
    assert add_object(video=video, author=manager).number == 3
    move_head(video=video, by=manager, from_round=head_of(video.pk), to_round=None)
    assert mask_at(video.pk, head_of(video.pk), 0) is None


def test_accepted_frames_stay_when_copies_are_merged(
    client: Client, video: Video, people: list[User], owner: User
) -> None:
    paint(video, owner, 0, columns(20))
    accept(video, owner, 0)
    job = job_of(video)
    for user, copy in zip(people, give(client, job, people).json()["copies"], strict=True):
        own = Video.objects.get(pk=copy["video"])
        paint(own, user, 0, columns(1))
        do(user, job_of(own), "start", "submit")
    client.post(f"/api/jobs/{job.pk}/consensus/merge")
    worker.run(Consensus.objects.get().pk, worker.merge)
    info = client.get(f"/api/jobs/{job.pk}/consensus").json()
    assert (info["merged"], info["error"]) == (None, "No copy has a mask in a frame that is not accepted.")
    assert (mask_at(video.pk, head_of(video.pk), 0).labels == columns(20)).all()  # type: ignore[union-attr]


def test_locked_objects_keep_their_pixels_when_copies_are_merged(
    client: Client, video: Video, people: list[User], owner: User
) -> None:
    add_object(video=video, author=owner, name="Coral")
    paint(video, owner, 0, columns(20))
    job = job_of(video)
    for user, copy in zip(people, give(client, job, people).json()["copies"], strict=True):
        own = Video.objects.get(pk=copy["video"])
        paint(own, user, 0, columns(1))
        paint(own, user, 0, columns(19, 20), number=2)
        do(user, job_of(own), "start", "submit")
    update_object(video=video, number=1, locked=True)
    client.post(f"/api/jobs/{job.pk}/consensus/merge")
    worker.run(Consensus.objects.get().pk, worker.merge)
    mask = mask_at(video.pk, head_of(video.pk), 0)
    assert mask is not None
    assert (mask.labels == columns(20) + 2 * columns(19)).all()


def test_the_statements_for_locked_objects_do_not_grow_with_the_frames(video: Video, owner: User) -> None:
    for frame in range(3):
        paint(video, owner, frame, columns(20))
    head, counts = Head.objects.get(video=video), []
    for frames in ([0], [0, 1, 2]):
        voted = {frame: worker._packed(columns(1)) for frame in frames}
        with CaptureQueriesContext(connection) as statements:
            found = worker._with_locked(video, head, voted, {1})
        assert [(decode(found[frame][0]) == columns(20)).all() for frame in frames] == [True] * len(frames)
        counts.append(len(statements))
    assert counts[0] == counts[1]


def test_frames_that_are_accepted_while_copies_are_merged_stay(
    client: Client, video: Video, people: list[User], owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for frame in (0, 1):
        paint(video, owner, frame, columns(20))
    job = job_of(video)
    for user, copy in zip(people, give(client, job, people).json()["copies"], strict=True):
        own = Video.objects.get(pk=copy["video"])
        for frame in (0, 1):
            paint(own, user, frame, columns(1))
        do(user, job_of(own), "start", "submit")
    client.post(f"/api/jobs/{job.pk}/consensus/merge")
    real, voted = worker.vote, []

    def vote(masks: Any) -> Any:
        voted.append(len(masks))
        if len(voted) == 1:
            accept(video, owner, 0)
        return real(masks)

    monkeypatch.setattr(worker, "vote", vote)
    worker.run(Consensus.objects.get().pk, worker.merge)
    merged = Consensus.objects.get().merged
    assert merged is not None
    assert (len(voted), merged.frames) == (2, [[1, 1]])
    for frame, column in ((0, 20), (1, 1)):
        mask = mask_at(video.pk, head_of(video.pk), frame)
        assert mask is not None
        assert (mask.labels == columns(column)).all()


def test_a_fault_of_the_worker_is_told(
    client: Client, video: Video, people: list[User], monkeypatch: pytest.MonkeyPatch
) -> None:
    give(client, job_of(video), people)
    Consensus.objects.update(state=Computing.WAITING)
    worker.run(Consensus.objects.get().pk, lambda number: 1 // 0)  # type: ignore[arg-type]
    found = Consensus.objects.get()
    assert not found.computing
    assert "its log names it" in found.error


def test_a_killed_worker_is_noticed_and_may_store_nothing_later(
    client: Client, video: Video, people: list[User], sent_tasks: list, django_capture_on_commit_callbacks: Any
) -> None:
    job = job_of(video)
    for user, copy in zip(people, give(client, job, people).json()["copies"], strict=True):
        own = Video.objects.get(pk=copy["video"])
        paint(own, user, 0, columns(1))
        do(user, job_of(own), "start", "submit")
    address = f"/api/jobs/{job.pk}/consensus/merge"
    assert client.post(address).json()["computing"]
    assert (client.post(address).status_code, client.post(address).json()["code"]) == (409, "computing")
    claimed = CONSENSUS.claim(Consensus.objects.get().pk)
    assert claimed is not None
    with django_capture_on_commit_callbacks(execute=True):
        assert lose_worker(CONSENSUS, claimed) == Computing.WAITING
    assert sent_tasks[-1] == (MERGE, [claimed.pk])
    claimed.fence -= 1
    with pytest.raises(Lost):
        worker.merge(claimed)
    assert (Consensus.objects.get().merged, head_of(video.pk)) == (None, None)
    worker.run(claimed.pk, worker.merge)
    assert Consensus.objects.get().merged is not None


def test_a_vote_needs_more_than_half() -> None:
    first, second = columns(1, 2), columns(2, 3)
    assert (worker.vote([first, second]) == columns(2)).all()
    assert (worker.vote([first, second, 2 * first]) == columns(2)).all()


def test_wrong_people_leave_nothing_behind(
    client: Client, video: Video, people: list[User], viewer: User, tmp_path: Path
) -> None:
    folders = sorted((tmp_path / "videos").iterdir())
    for wrong, code in (([*people, viewer], "not_an_annotator"), (people[:1], "too_few"), ([people[0]] * 2, "too_few")):
        answer = give(client, job_of(video), wrong)
        assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert (Video.objects.count(), sorted((tmp_path / "videos").iterdir())) == (1, folders)
    assert job_of(video).state == "new"


def test_a_known_clip_looks_like_any_other_in_the_queue(
    client: Client, video: Video, people: list[User], project: Project
) -> None:
    body = {"people": [user.pk for user in people[:2]]}
    made = client.post(f"/api/videos/{video.pk}/mix-in", body, JSON).json()
    assert [copy["assignee"] for copy in made] == body["people"]
    mine = Client()
    mine.force_login(people[0])
    (job,) = mine.get("/api/me/work").json()["jobs"]
    assert (job["video"], job["video_name"], job["jf"]) == (made[0]["video"], "reef", None)
    assert mine.get(f"/api/videos/{made[0]['video']}").json()["has_truth"] is False
    do(people[0], Job.objects.get(pk=made[0]["job"]), "start", "submit")
    assert Job.objects.get(pk=made[0]["job"]).jf == 0  # Nothing was drawn.
    Video.objects.filter(pk=video.pk).update(truth_frames=[])
    refused = client.post(f"/api/videos/{video.pk}/mix-in", body, JSON)
    assert (refused.status_code, refused.json()["code"]) == (409, "no_truth")


def test_a_copy_that_was_sent_back_is_not_submitted(client: Client, video: Video, people: list[User]) -> None:
    job = job_of(video)
    give(client, job, people)
    Job.objects.filter(video__is_copy=True).update(stage=Stage.VALIDATION)
    late = Job.objects.filter(video__is_copy=True, assignee=people[1])
    late.update(stage=Stage.ANNOTATION, state=JobState.REJECTED)
    with pytest.raises(Problem) as refused:
        ask_for(by=video.created_by, job_id=job.pk, task=AGREE)
    assert refused.value.code == "not_ended"


@pytest.mark.parametrize("error", [StorageAway("The server went away."), ValueError("A fault of the program.")])
def test_a_worker_that_lost_a_consensus_before_it_failed_stores_nothing(
    client: Client, video: Video, people: list[User], error: Exception
) -> None:
    give(client, job_of(video), people)
    row = Consensus.objects.get()
    Consensus.objects.update(state=Computing.WAITING, task=AGREE)

    def lose(claimed: Consensus) -> None:
        Consensus.objects.update(fence=claimed.fence + 1, postponed=CONSENSUS.limits.max_postponed)
        raise error

    worker.run(row.pk, lose)
    row.refresh_from_db()
    assert (row.state, row.error) == (Computing.RUNNING, "")
