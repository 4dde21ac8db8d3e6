"""Tests of the trash: what is hidden, brought back, emptied, and removed after thirty days, with rows and files."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.apps import apps
from django.test import Client
from django.utils import timezone

from tests.webapp.annotation.test_accepted_objects import accept as accept_object
from tests.webapp.conftest import accept, run, some_mask
from webapp.accounts.models import User
from webapp.annotation.claims import claim, finish, store
from webapp.annotation.models import Export, ExportState, Mask, Object, Round
from webapp.annotation.objects import add_object, update_object
from webapp.audit.models import AuditEntry
from webapp.jobs.models import Job, Stage
from webapp.overview import removal, trash
from webapp.overview.removal import remove_marked, sweep_trash
from webapp.problems import NotFound
from webapp.projects.editing import create_project
from webapp.projects.models import Project, Sees
from webapp.videos.create import create_video
from webapp.videos.models import Video
from webapp.videos.storage import folder_of

ClientAs = Callable[[User | None], Client]
Tasks = list[tuple[str, list[Any]]]
Commit = Callable[..., Any]
JSON = "application/json"


@pytest.fixture
def commit(django_capture_on_commit_callbacks: Commit) -> Commit:
    """Return pytest-django's context manager that runs, at its end, what waits for a commit."""
    return django_capture_on_commit_callbacks


@pytest.fixture(autouse=True)
def home(tmp_path: Path, settings: Any) -> Path:
    settings.HOME = tmp_path
    return tmp_path


@pytest.fixture
def video(project: Project, annotator: User, sent_tasks: Tasks) -> Video:
    """Create a video with an object, two rounds that build on each other, an accepted frame and an export."""
    frames = [np.full((24, 32, 3), 40 * index, np.uint8) for index in range(3)]
    video = create_video(project=project, name="reef", frames=frames, author=annotator)
    add_object(video=video, author=annotator, name="Fish")
    base = None
    for _ in range(2):
        base = run(video, annotator, base).pk
        claimed = claim(base, "test")
        assert claimed is not None
        store(claimed, [some_mask(frame) for frame in range(3)])
        finish(claimed, complete=True)
    accept(video, annotator, 1)
    accept_object(video, annotator, 0, 0)
    export = Export.objects.create(
        video=video, round_id=base, format="davis", state=ExportState.DONE, size_bytes=3, author=annotator
    )
    (Path(folder_of(video.pk).root).parents[1] / "exports").mkdir()
    (Path(folder_of(video.pk).root).parents[1] / "exports" / str(export.pk)).write_bytes(b"zip")
    sent_tasks.clear()
    return video


def rows() -> dict[str, int]:
    models = [model for model in apps.get_models() if model.__module__.startswith("webapp.")]
    return {model.__name__: model._default_manager.count() for model in models}


def test_a_deleted_video_is_hidden_and_comes_back_as_it_was(
    client_as: ClientAs, manager: User, video: Video, sent_tasks: Tasks, commit: Commit
) -> None:
    client, before, listed = client_as(manager), rows(), f"/api/projects/{video.project_id}/videos"
    state = client.get(f"/api/videos/{video.pk}/state").json()
    with commit(execute=True):
        assert client.delete(f"/api/videos/{video.pk}").status_code == 204
    assert sent_tasks == []  # Nothing is deleted, so the answer does not wait for anything.
    for address in (f"/api/videos/{video.pk}", f"/api/videos/{video.pk}/frames/0.jpg", f"/api/videos/{video.pk}/state"):
        assert client.get(address).status_code == 404
    assert client.get(listed).json() == []
    found = client.get("/api/trash").json()
    assert [(row["kind"], row["id"], row["name"], row["deleted_by"]) for row in found] == [
        ("video", video.pk, "reef", "Manager")
    ]
    assert client.post(f"/api/trash/video/{video.pk}/restore").status_code == 204
    assert client.get(f"/api/videos/{video.pk}/state").json() == state
    assert client.get("/api/trash").json() == []
    assert {name: n for name, n in rows().items() if n != before[name]} == {"AuditEntry": before["AuditEntry"] + 2}


def test_an_emptied_trash_leaves_no_row_and_no_file(
    client_as: ClientAs,
    manager: User,
    video: Video,
    sent_tasks: Tasks,
    home: Path,
    commit: Commit,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(removal, "PART", 2)  # Several parts, as a long video has.
    client = client_as(manager)
    client.delete(f"/api/videos/{video.pk}")
    with commit(execute=True):
        answer = client.post("/api/trash/empty", {}, content_type=JSON)
    assert answer.json() == {"count": 1}
    assert [name for name, _ in sent_tasks] == ["overview.remove"]
    assert client.post(f"/api/trash/video/{video.pk}/restore").status_code == 404
    assert Mask.objects.count() == 6
    with commit(execute=True):
        remove_marked()
    left = {"User", "SignedInBrowser", "Project", "Membership", "AuditEntry", "Notification"}
    assert {name for name, count in rows().items() if count} <= left
    assert [path for path in home.rglob("*") if path.is_file() and "deleted" not in str(path)] == []
    assert AuditEntry.objects.filter(action="video.remove", thing_name="reef").exists()


def test_a_project_in_the_trash_hides_everything_and_only_owners_bring_it_back(
    client_as: ClientAs, owner: User, manager: User, video: Video
) -> None:
    assert client_as(owner).delete(f"/api/projects/{video.project_id}").status_code == 204
    for address in ("/api/projects", "/api/trash"):
        assert client_as(manager).get(address).json() == []
    assert client_as(manager).get(f"/api/videos/{video.pk}").status_code == 404
    address = f"/api/trash/project/{video.project_id}/restore"
    assert client_as(manager).post(address).status_code == 403
    assert client_as(owner).post(address).status_code == 204
    assert client_as(manager).get(f"/api/videos/{video.pk}").status_code == 200


def test_exports_and_objects_come_back_too(client_as: ClientAs, annotator: User, viewer: User, video: Video) -> None:
    client, export = client_as(annotator), Export.objects.get()
    assert client.delete(f"/api/exports/{export.pk}").status_code == 204
    update_object(video=video, number=1, deleted=True)
    assert client.get(f"/api/exports/{export.pk}").status_code == 404
    found = {row["kind"]: row for row in client.get("/api/trash", {"project": video.project_id}).json()}
    assert (found["export"]["name"], found["object"]["name"]) == ("reef (davis)", "Fish in reef")
    assert client_as(viewer).post(f"/api/trash/object/{found['object']['id']}/restore").status_code == 403
    assert client.delete(f"/api/trash/object/{found['object']['id']}").status_code == 409
    for row in found.values():
        assert client.post(f"/api/trash/{row['kind']}/{row['id']}/restore").status_code == 204
    assert client.get(f"/api/exports/{export.pk}/file").status_code == 200
    assert Object.objects.get().deleted_at is None


def test_after_thirty_days_the_sweep_has_a_worker_remove_it(
    client_as: ClientAs, manager: User, video: Video, sent_tasks: Tasks, commit: Commit
) -> None:
    client_as(manager).delete(f"/api/videos/{video.pk}")
    for days, removed in ((29, False), (31, True)):
        Video.objects.update(deleted_at=timezone.now() - timedelta(days=days))
        with commit(execute=True):
            sweep_trash()
        assert Video.objects.get().removing is removed
        assert bool(sent_tasks) is removed
    remove_marked()
    assert not Round.objects.exists()


def test_a_project_export_leaves_out_videos_in_the_trash(
    client_as: ClientAs, manager: User, video: Video, sent_tasks: Tasks
) -> None:
    client = client_as(manager)
    client.delete(f"/api/videos/{video.pk}")
    body = {"format": "davis"}
    answer = client.post(f"/api/projects/{video.project_id}/exports", body, content_type=JSON)
    assert (answer.status_code, answer.json()["code"]) == (409, "no_masks")


def test_the_counts_of_a_video_are_kept_in_its_row(annotator: User, video: Video) -> None:
    row = Video.objects.get()
    assert (row.rounds_made, row.is_running, row.accepted_count) == (2, False, 1)
    assert row.worked_by_id == annotator.pk


def test_who_sees_only_their_jobs_brings_only_their_objects_back(
    client_as: ClientAs, owner: User, annotator: User, video: Video
) -> None:
    theirs = add_object(video=video, author=owner, name="Eel")
    mine = Object.objects.get(name="Fish")
    for instance in (mine, theirs):
        update_object(video=video, number=instance.number, deleted=True)
    client = client_as(annotator)
    Project.objects.update(sees=Sees.JOBS)
    assert client.get("/api/trash").json() == []
    assert client.post(f"/api/trash/object/{mine.pk}/restore").status_code == 404
    job = Job.objects.get(video=video)
    Job.objects.update(assignee=annotator, stage=Stage.VALIDATION)
    assert client.post(f"/api/trash/object/{mine.pk}/restore").status_code == 403  # The job is not open.
    assert client.get("/api/trash").json() == [], "what cannot be brought back is not listed"
    Job.objects.filter(pk=job.pk).update(stage=Stage.ANNOTATION)
    assert [row["id"] for row in client.get("/api/trash").json()] == [mine.pk]
    assert client.post(f"/api/trash/object/{theirs.pk}/restore").status_code == 403
    assert client.post(f"/api/trash/object/{mine.pk}/restore").status_code == 204
    Video.objects.update(deleted_at=timezone.now())
    for sees, status in ((Sees.JOBS, 404), (Sees.ALL, 403)):  # Who sees all videos knows of those in the trash.
        Project.objects.update(sees=sees)
        assert client.post(f"/api/trash/video/{video.pk}/restore").status_code == status


def test_objects_of_copies_of_others_are_not_in_the_trash(client_as: ClientAs, annotator: User, video: Video) -> None:
    Video.objects.update(is_copy=True)
    update_object(video=video, number=1, deleted=True)
    client = client_as(annotator)
    assert [row["kind"] for row in client.get("/api/trash").json()] == []
    assert client.post(f"/api/trash/object/{Object.objects.get().pk}/restore").status_code == 404


def test_of_two_who_restore_and_delete_for_good_at_once_the_second_finds_nothing(
    owner: User, video: Video, sent_tasks: Tasks, commit: Commit, monkeypatch: pytest.MonkeyPatch
) -> None:
    deleted = timezone.now()
    for second, meanwhile, kept in (
        (trash.remove_for_good, {"deleted_at": None}, {"removing": False}),
        (trash.restore, {"removing": True}, {"deleted_at": deleted, "removing": True}),
    ):
        Video.objects.update(deleted_at=deleted, removing=False)
        stale = Video.objects.get()
        monkeypatch.setattr(trash, "_find", lambda *_, row=stale: row)  # As it was read before the first one's change.
        Video.objects.update(**meanwhile)
        with commit(execute=True), pytest.raises(NotFound):
            second(by=owner, kind=trash.TrashKind.VIDEO, pk=stale.pk)
        assert Video.objects.filter(**kept).exists()
    assert sent_tasks == []
    assert not AuditEntry.objects.filter(action__in=("video.remove", "video.restore")).exists()


def test_a_worker_is_asked_once_to_empty_the_trash(
    client_as: ClientAs, manager: User, video: Video, sent_tasks: Tasks, commit: Commit
) -> None:
    Export.objects.create(video=video, format="davis", author=manager)
    Export.objects.update(deleted_at=timezone.now())
    with commit(execute=True):
        answer = client_as(manager).post("/api/trash/empty", {}, content_type=JSON)
    assert answer.json() == {"count": 2}
    assert [name for name, _ in sent_tasks] == ["overview.remove"]


def test_the_trash_of_a_project_is_whole_however_much_is_in_that_of_others(
    client_as: ClientAs, owner: User, video: Video, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_as(owner)
    other = create_project(by=owner, name="Other")
    later = create_video(project=other, name="later", frames=[np.zeros((24, 32, 3), np.uint8)], author=owner)
    for each in (video, later):
        assert client.delete(f"/api/videos/{each.pk}").status_code == 204
    monkeypatch.setattr(trash, "MOST", 1)
    assert [row["name"] for row in client.get("/api/trash").json() if row["kind"] == "video"] == ["later"]
    for project, name in ((video.project_id, "reef"), (other.pk, "later")):
        assert [row["name"] for row in client.get("/api/trash", {"project": project}).json()] == [name]
