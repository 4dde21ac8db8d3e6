"""Tests of a whole site whose files are in a bucket: from an upload in chunks to a restored backup."""

from __future__ import annotations

import dataclasses
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import numpy as np
import pytest
from django.test import Client, TestCase

from tests.webapp.conftest import run, some_mask
from tests.webapp.videos.conftest import limit, reader_thread  # noqa: F401
from webapp import doctor
from webapp.accounts.models import User
from webapp.annotation.claims import claim, finish, store
from webapp.annotation.export.jobs import EXPORTS, make_export, run_export
from webapp.annotation.imports.jobs import make_import, run_mask_import
from webapp.annotation.models import Export
from webapp.annotation.objects import add_object
from webapp.operation import backup, health
from webapp.operation.stored import check_site
from webapp.overview.copying import copy_videos, run_copy
from webapp.projects.models import Project
from webapp.storage.address import BucketAddress
from webapp.storage.failure import AWAY_FOR_LONG
from webapp.storage.files import SITE_ID, cache_folder, storage, uncompared_storage
from webapp.storage.late_comparison import late_comparison
from webapp.storage.site_id import store_id
from webapp.videos import belonging, upload_files
from webapp.videos.copying import copies_of, finish_copy
from webapp.videos.fetching import begin_fetch, run_fetch
from webapp.videos.import_queue import release_upload
from webapp.videos.importing import run_import
from webapp.videos.models import Upload, Video
from webapp.videos.recovery import sweep_imports
from webapp.videos.storage import StoredFrames, VideoFiles, read_file, read_truth

JSON, BYTES = "application/json", "application/octet-stream"
ClientAs = Callable[[User | None], Client]


@pytest.fixture(autouse=True)
def _kept_in_a_bucket(bucket: BucketAddress, home: Path, monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    monkeypatch.setitem(settings.CONFIG.values, "STORAGE_URL", bucket)
    monkeypatch.setattr(health, "KEPT_SECONDS", 0)


def pictures(count: int) -> bytes:
    """Return a zip of PNG pictures called IMG_5.png, IMG_6.png and so on."""
    from PIL import Image

    packed = io.BytesIO()
    random = np.random.default_rng(1)
    with zipfile.ZipFile(packed, "w") as archive:
        for index in range(count):
            picture = io.BytesIO()
            Image.fromarray(random.integers(0, 256, (24, 32, 3), np.uint8)).save(picture, "PNG")
            archive.writestr(f"IMG_{index + 5}.png", picture.getvalue())
    return packed.getvalue()


def uploaded(client: Client, project: Project, data: bytes, name: str) -> str:
    made = client.post(f"/api/projects/{project.pk}/uploads", {"name": name, "size": len(data)}, JSON).json()["id"]
    half = len(data) // 2
    for offset, part in ((0, data[:half]), (half, data[half:])):
        sent = client.patch(f"/api/uploads/{made}", part, BYTES, headers={"Upload-Offset": str(offset)})
        assert sent.status_code == 200, sent.content
    again = client.patch(f"/api/uploads/{made}", data[:half], BYTES, headers={"Upload-Offset": "0"})
    assert (again.status_code, again.json()["received"]) == (409, len(data))
    return str(made)


@pytest.fixture
def made(client_as: ClientAs, project: Project, owner: User, sent_tasks: list, reader_thread: None) -> Video:  # noqa: F811
    """Bring in a video by an upload in chunks, and return it."""
    client = client_as(owner)
    upload = uploaded(client, project, pictures(4), "reef.zip")
    half, whole = len(pictures(4)) // 2, len(pictures(4))
    assert list(storage().sizes(f"uploads/{upload}")) == [f"{0:015d}-{half}", f"{half:015d}-{whole - half}"]
    card = client.post(f"/api/uploads/{upload}/finish").json()
    run_import(card["id"])
    found = Video.objects.get()
    assert (found.state, found.frame_count) == ("ready", 4), found.error
    assert storage().sizes(f"uploads/{upload}") == {}
    return found


def annotate(video: Video, author: User) -> None:
    """Give each frame of a video a mask."""
    add_object(video=video, author=author)
    claimed = claim(run(video, author, None).pk, worker="test")
    assert claimed is not None
    store(claimed, [some_mask(index) for index in range(video.frame_count)])
    finish(claimed, complete=True)


def test_a_video_lives_in_the_bucket_from_the_upload_to_its_removal(
    made: Video,
    client_as: ClientAs,
    owner: User,
    project: Project,
    bucket: BucketAddress,
    home: Path,
    tmp_path: Path,
    monkeypatch: Any,
) -> None:
    client = client_as(owner)
    assert not (home / "videos").exists() or not list((home / "videos").iterdir())
    frame = client.get(f"/api/videos/{made.pk}/frames/2.jpg")
    assert (frame.status_code, frame.content[:2]) == (200, b"\xff\xd8")
    assert client.get(f"/api/videos/{made.pk}/frames/9.jpg").status_code == 404
    assert client.get(f"/api/videos/{made.pk}/source-frames").json()["names"][0] == "IMG_5.png"
    assert StoredFrames(made)[3].shape == (24, 32, 3)
    assert (cache_folder(home) / bucket.digest / "no-id" / VideoFiles(made.pk).frame(3)).is_file()

    annotate(made, owner)
    export = client.post(f"/api/videos/{made.pk}/exports", {"format": "davis"}, JSON).json()["id"]
    run_export(export)
    got = client.get(f"/api/exports/{export}/file")
    data = b"".join(got.streaming_content)  # type: ignore[attr-defined]
    assert len(zipfile.ZipFile(io.BytesIO(data)).namelist()) > 8
    rest = client.get(f"/api/exports/{export}/file", headers={"Range": "bytes=100-"})
    assert (rest.status_code, b"".join(rest.streaming_content)) == (206, data[100:])  # type: ignore[attr-defined]

    upload = Upload.objects.get(pk=uploaded(client, project, data, "davis.zip"))
    for _ in range(2):  # The second time, it replaces ground truth.
        truth = make_import(by=owner, project_id=project.pk, upload_id=upload.pk, video_id=made.pk, ground_truth=True)
        run_mask_import(truth.pk)
        truth.refresh_from_db()
        assert truth.state == "done", truth.error
        upload = Upload.objects.get(pk=uploaded(client, project, data, "davis.zip"))
    assert read_truth(made, 2) is not None
    assert storage().folders(VideoFiles(made.pk).folder) == ["frames", "thumbs", "truth"]

    made.refresh_from_db()
    with copies_of(made, 1, by=owner) as (copy,):
        finish_copy(copy)
    assert read_file(VideoFiles(copy.pk).frame(1)) == read_file(VideoFiles(made.pk).frame(1))
    assert [str(damage) for damage in check_site(repair=False, deep=True)] == []
    storage().remove(VideoFiles(made.pk).thumb(1))
    assert [damage.repaired for damage in check_site(repair=True)] == ["It was made again."]
    monkeypatch.setattr(backup, "copy_database", lambda to: to.write_bytes(b"rows"))
    manifest = backup.write_backup(tmp_path / "site.tar", with_frames=True)
    files = VideoFiles(made.pk)
    assert {files.frame(3), files.source, VideoFiles(copy.pk).truth(0)} <= set(manifest.files)


def test_an_upload_whose_chunks_are_damaged_fails(
    client_as: ClientAs, owner: User, project: Project, sent_tasks: list
) -> None:
    client = client_as(owner)
    upload = uploaded(client, project, b"12345678", "reef.mp4")
    storage().remove(f"uploads/{upload}/000000000000004-4")
    card = client.post(f"/api/uploads/{upload}/finish").json()
    run_import(card["id"])
    assert "Upload it again" in client.get(f"/api/videos/{card['id']}").json()["error"]


def test_a_chunk_that_comes_again_and_late_does_not_replace_what_was_counted(
    client_as: ClientAs, owner: User, project: Project, tmp_path: Path
) -> None:
    upload = Upload.objects.get(pk=uploaded(client_as(owner), project, b"12345678", "reef.mp4"))
    for late in (b"12", b"1234567"):
        (tmp_path / "late").write_bytes(late)
        upload_files._save_chunk(tmp_path / "late", upload.pk, 0)
    assert upload_files.local_upload(upload).read_bytes() == b"12345678"


def test_work_that_meets_an_outage_of_the_bucket_waits_and_is_done_later(
    made: Video,
    client_as: ClientAs,
    owner: User,
    project: Project,
    bucket: BucketAddress,
    tmp_path: Path,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client, values = client_as(owner), settings.CONFIG.values
    annotate(made, owner)
    monkeypatch.setitem(values, "MASKWRIGHT_IMPORT_FOLDER", str(tmp_path / "clips"))
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / "reef.zip").write_bytes(pictures(1))
    upload = uploaded(client, project, pictures(1), "masks.zip")
    work: list[tuple[Callable[[int], None], Any]] = [
        (run_export, make_export(by=owner, video_id=made.pk, format_name="davis")),
        (run_copy, copy_videos(by=owner, videos=[made], to=project.pk, labels={})[0]),
        (run_mask_import, make_import(by=owner, project_id=project.pk, upload_id=UUID(upload), video_id=made.pk)),
        (run_fetch, begin_fetch(by=owner, project_id=project.pk, source="reef.zip", as_video=False)),
    ]
    values["STORAGE_URL"] = dataclasses.replace(bucket, bucket="no-such-bucket")
    for do, row in work:
        before = row.state
        do(row.pk)
        row.refresh_from_db()
        assert (row.state, row.postponed, row.losses, row.error, row.heartbeat) == (before, 1, 0, "", None)
    release_upload(Upload.objects.get(pk=upload))  # The sweep removes it when its row is old.
    values["STORAGE_URL"] = bucket
    ends = []
    for do, row in work:
        do(row.pk)
        row.refresh_from_db()
        ends.append((row.state, row.error))
    assert [state for state, _ in ends] == ["done", "ready", "failed", "done"]
    assert ends[2][1] != AWAY_FOR_LONG, "the upload was read, and it has no masks"

    values["STORAGE_URL"] = dataclasses.replace(bucket, bucket="no-such-bucket")
    last = make_export(by=owner, video_id=made.pk, format_name="davis")
    Export.objects.filter(pk=last.pk).update(postponed=EXPORTS.limits.max_postponed)
    run_export(last.pk)
    last.refresh_from_db()
    assert (last.state, last.error) == ("failed", AWAY_FOR_LONG)


def test_a_bucket_of_another_site_that_was_away_at_the_start_is_not_written(
    client_as: ClientAs,
    owner: User,
    project: Project,
    bucket: BucketAddress,
    sent_tasks: list,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client, values = client_as(owner), settings.CONFIG.values
    monkeypatch.setattr(belonging.connection, "close", lambda: None)
    for name, value in (("_compare", None), ("is_refused", False)):  # What this test leaves behind is taken back.
        monkeypatch.setattr(late_comparison, name, value)
    upload = uploaded(client, project, pictures(2), "reef.zip")
    video = Video.objects.get(pk=client.post(f"/api/uploads/{upload}/finish").json()["id"])
    store_id(uuid4())
    values["STORAGE_URL"] = dataclasses.replace(bucket, bucket="no-such-bucket")
    belonging.refuse_wrong_files_or_later()

    values["STORAGE_URL"] = bucket
    run_import(video.pk)
    video.refresh_from_db()
    assert (video.state, video.postponed, video.error) == ("importing", 1, "")
    assert uncompared_storage().folders("videos") == []
    assert client.post(f"/api/projects/{project.pk}/uploads", {"name": "a.mp4", "size": 4}, JSON).status_code == 503
    assert health._storage() == "its files belong to another database; the log says what to do"

    uncompared_storage().remove(SITE_ID)
    run_import(video.pk)
    video.refresh_from_db()
    assert video.state == "ready", video.error


def test_signed_addresses_a_bucket_that_is_away_and_what_is_deleted(
    made: Video, client_as: ClientAs, owner: User, project: Project, bucket: BucketAddress, settings: Any
) -> None:
    client, values, files = client_as(owner), settings.CONFIG.values, VideoFiles(made.pk)
    picture = f"/api/videos/{made.pk}/frames/2.jpg"
    values["STORAGE_URL"] = dataclasses.replace(bucket, direct=True)
    answer = client.get(picture)
    assert (answer.status_code, answer["Cache-Control"]) == (302, "private, max-age=3000")
    assert f"img-src 'self' blob: data: {bucket.endpoint}" in answer["Content-Security-Policy"]
    got = httpx.get(answer["Location"])
    assert (got.content, got.headers["Content-Type"]) == (read_file(files.frame(2)), "image/jpeg")
    through = client.get(f"{picture}?direct=0")
    assert (through.status_code, through.content == got.content) == (200, True), "for a page that the bucket refuses"
    assert client_as(None).get(picture).status_code == 401

    values["STORAGE_URL"] = dataclasses.replace(bucket, bucket="no-such-bucket")
    answer = client.get(picture)
    assert (answer.status_code, answer["Retry-After"], answer.json()["code"]) == (503, "2", "busy")
    (finding,) = doctor.files()
    assert (finding.state, "NoSuchBucket" in finding.text, "secret" in finding.text) == ("wrong", True, False)
    assert client_as(None).get("/readyz").status_code == 503

    values["STORAGE_URL"] = bucket
    assert [finding.state for finding in doctor.files()] == ["ok"]
    upload = uploaded(client, project, b"1234", "left.mp4")
    with TestCase.captureOnCommitCallbacks(execute=True):
        made.delete()
        assert client.delete(f"/api/uploads/{upload}").status_code == 204
    assert storage().sizes(f"{files.folder}/frames"), "a worker removes the files"
    sweep_imports()
    assert storage().folders("videos") == storage().folders("uploads") == []
