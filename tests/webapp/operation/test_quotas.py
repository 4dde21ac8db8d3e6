"""Tests of quotas: who sets and sees them, and that uploads, imports, moves and rounds keep to them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models.functions import Now
from django.test import Client, RequestFactory
from django.utils import timezone

from tests.webapp.conftest import make_video, run
from tests.webapp.videos.archives import numbered_picture, write_zip
from webapp.accounts.models import User
from webapp.annotation.engine_time import engine_seconds
from webapp.annotation.models import Round
from webapp.annotation.objects import add_object
from webapp.audit.models import AuditEntry
from webapp.problems import Problem
from webapp.projects.models import Project
from webapp.quotas.limits import Limits, limits_of, set_limits
from webapp.quotas.models import Quota, Scope
from webapp.videos.importing import run_import
from webapp.videos.models import Upload, Video, VideoState
from webapp.videos.quota import shown_size, taken_by
from webapp.videos.storage import videos_root
from webapp.videos.upload_files import upload_path

ClientAs = Callable[[User | None], Client]


@pytest.fixture
def home(settings: Any, tmp_path: Path, sent_tasks: list[Any]) -> Path:
    settings.HOME = tmp_path
    (tmp_path / "uploads").mkdir()
    return tmp_path


def put(client: Client, address: str, **limits: int | None) -> Any:
    return client.put(f"/api/quotas/{address}", limits, content_type="application/json")


def begin(client: Client, project: Project, size: int) -> Any:
    body = {"name": "clip.mp4", "size": size}
    return client.post(f"/api/projects/{project.pk}/uploads", body, content_type="application/json")


def test_own_limits_take_the_place_of_those_for_each_and_members_see_what_is_used(
    client_as: ClientAs, owner: User, annotator: User, stranger: User, project: Project, home: Path
) -> None:
    User.objects.filter(pk=stranger.pk).update(is_superuser=True)
    site = client_as(User.objects.get(pk=stranger.pk))
    assert put(site, "project", frames=20, bytes=5).status_code == 200
    assert put(site, "person", engine_seconds=9).status_code == 200
    answer = put(site, f"project/{project.pk}", frames=30).json()
    assert answer["each_project"] == {"frames": 20, "bytes": 5, "engine_seconds": None}
    assert [(quota["scope"], quota["id"], quota["name"], quota["frames"]) for quota in answer["own"]] == [
        ("project", project.pk, project.name, 30)
    ]
    assert limits_of(project) == Limits(frames=30), "own limits are not added up with those for each"
    make_video(project, owner)
    seen = client_as(annotator)
    assert seen.get(f"/api/projects/{project.pk}/quota").json()["frames"] == {"limit": 30, "used": 8}
    assert seen.get("/api/me/quota").json()["engine_seconds"] == {"limit": 9, "used": 0}
    assert site.delete(f"/api/quotas/project/{project.pk}").status_code == 200
    assert limits_of(project) == Limits(frames=20, bytes=5)
    found = site.get("/api/quotas/person/targets", {"text": "ANNOT"}).json()
    assert found == [{"id": annotator.pk, "name": "Annotator", "username": "annotator"}]
    projects = site.get("/api/quotas/project/targets").json()
    assert [quota["name"] for quota in projects] == ["Elsewhere", "Reef"]
    assert site.get("/api/quotas/team/targets").status_code == 404
    for address, status in (("team", 404), (f"person/{10**6}", 404), (f"person/{owner.pk}", 200)):
        assert put(site, address, frames=1).status_code == status, address
    assert put(site, "project", frames=-1).status_code == 422
    assert put(site, "project", frames=1 << 60).status_code == 422
    assert AuditEntry.objects.filter(action="quota.change").count() == 5


def test_an_upload_beyond_a_quota_is_refused_with_a_sentence_and_unfinished_ones_count(
    client_as: ClientAs, owner: User, annotator: User, project: Project, home: Path
) -> None:
    set_limits(Scope.PROJECT, project.pk, Limits(bytes=10 << 20))
    set_limits(Scope.PERSON, annotator.pk, Limits(bytes=4 << 20))
    assert begin(client_as(annotator), project, 3 << 20).status_code == 201
    refused = begin(client_as(annotator), project, 2 << 20)
    assert (refused.status_code, refused.json()["code"]) == (409, "quota")
    assert "may have 4 MB of videos and has 3 MB, so 2 MB more do not fit." in refused.json()["text"]
    assert begin(client_as(owner), project, 8 << 20).status_code == 409, "the project has 7 MB left"
    assert begin(client_as(owner), project, 7 << 20).status_code == 201
    Upload.objects.update(touched_at=timezone.now() - timedelta(hours=2))
    assert begin(client_as(annotator), project, 4 << 20).status_code == 201, "abandoned uploads do not count"


def imported(project: Project, by: User, path: Path, frames: int) -> Video:
    """Write a zip of `frames` pictures at `path` and import it. Return the video afterwards, ready or failed."""
    write_zip(path, [(f"{index}.png", numbered_picture(index)) for index in range(frames)])
    upload = Upload.objects.create(project=project, name="a.zip", size=9, received=9, created_by=by)
    path.rename(upload_path(upload.pk))
    video = Video.objects.create(project=project, name="a", upload=upload, created_by=by)
    run_import(video.pk)
    video.refresh_from_db()
    return video


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        (0, "0 bytes"),
        (1023, "1,023 bytes"),
        (1_000_000, "976.6 kB"),
        (4 << 20, "4 MB"),
        (1_900_000, "1.8 MB"),
        (5 << 32, "20,480 MB"),
    ],
)
def test_a_small_quota_is_not_told_as_nothing(size: int, shown: str) -> None:
    assert shown_size(size) == shown


@pytest.mark.django_db(transaction=True)
def test_an_import_that_outgrows_a_quota_fails_and_leaves_nothing(project: Project, owner: User, home: Path) -> None:
    set_limits(Scope.PERSON, None, Limits(frames=5))
    assert imported(project, owner, home / "a.zip", 3).state == VideoState.READY
    video = imported(project, owner, home / "b.zip", 3)
    assert video.state == VideoState.FAILED
    assert f"{owner.shown_name} may have 5 frames and has 3, so 3 more do not fit." in video.error
    assert len(list(videos_root().iterdir())) == 1, "the files of the refused video are gone"
    set_limits(Scope.PERSON, None, Limits(bytes=taken_by(owner).bytes + 10))
    assert "kB more do not fit" in imported(project, owner, home / "c.zip", 3).error
    assert imported(project, owner, home / "d.zip", 2).state == VideoState.FAILED
    set_limits(Scope.PERSON, owner.pk, Limits())
    assert imported(project, owner, home / "e.zip", 3).state == VideoState.READY


def test_videos_move_only_where_the_quota_has_room(
    client_as: ClientAs, owner: User, project: Project, home: Path
) -> None:
    target = client_as(owner).post("/api/projects", {"name": "Other"}, content_type="application/json").json()["id"]
    video = make_video(project, owner)
    set_limits(Scope.PROJECT, target, Limits(frames=7))
    body = {"action": "move", "ids": [video.pk], "project": target}
    address = f"/api/projects/{project.pk}/videos/actions"
    refused = client_as(owner).post(address, body, content_type="application/json")
    assert (refused.status_code, refused.json()["code"]) == (409, "quota"), refused.content
    set_limits(Scope.PROJECT, target, Limits(frames=8))
    assert client_as(owner).post(address, body, content_type="application/json").status_code == 200
    copy = {"copy_of": video, "project": project, "created_by": owner, "progress_done": 500}
    Video.objects.create(**copy, state=VideoState.IMPORTING)
    assert taken_by(project).frames == video.frame_count, "a copy that is being made counts as what it copies"


@pytest.mark.parametrize("scope", list(Scope))
def test_a_round_waits_until_the_time_of_workers_is_not_used_up(
    scope: Scope, project: Project, owner: User, annotator: User, home: Path
) -> None:
    video = make_video(project, owner)
    add_object(video=video, author=owner)
    set_limits(scope, project.pk if scope == Scope.PROJECT else annotator.pk, Limits(engine_seconds=100))
    first = run(video, annotator, None)
    ended = {"state": "done", "started_at": Now() - timedelta(hours=2), "finished_at": Now() - timedelta(hours=1)}
    Round.objects.filter(pk=first.pk).update(**ended)
    with pytest.raises(Problem) as refused:
        run(video, annotator, first.pk)
    assert (refused.value.code, refused.value.status) == ("quota", 429)
    assert "100 seconds in 24 hours and has used 3,600" in refused.value.text
    assert refused.value.retry_after is not None
    assert 21 * 3600 < refused.value.retry_after <= 22 * 3600
    Video.objects.filter(pk=video.pk).update(created_at=Now() + timedelta(seconds=9))
    assert engine_seconds(project if scope == Scope.PROJECT else annotator) == 0, "it came with a copied video"
    Video.objects.filter(pk=video.pk).update(created_at=video.created_at)
    Round.objects.filter(pk=first.pk).update(started_at=Now() - timedelta(hours=25))
    assert run(video, annotator, first.pk).state == "queued"


def test_the_admin_takes_only_a_quota_of_its_scope(db: None, project: Project, owner: User) -> None:
    wrong = Quota(scope=Scope.PERSON, project=project, frames=1)
    with pytest.raises(ValidationError, match="Choose a project for the scope project"):
        wrong.full_clean()
    Quota.objects.create(scope=Scope.PROJECT, frames=1)
    with pytest.raises(ValidationError, match="one_quota_for_each_of_a_scope"):
        Quota(scope=Scope.PROJECT, frames=2).full_clean()
    request = RequestFactory().get("/")
    request.user = owner
    form = admin.site._registry[Quota].get_form(request)
    assert set(form.base_fields) == {"scope", "project", "person", "frames", "bytes", "engine_seconds"}
