"""Tests of fetches: files that nobody uploads, but that the server reads from its import folder or a bucket, or
downloads from a URL. Commands get files in the same ways.
"""

from __future__ import annotations

import os
import threading
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import boto3
import pytest
from botocore.exceptions import ClientError
from django.test import Client

from tests.webapp.conftest import aws_variables
from webapp.accounts.models import User
from webapp.problems import Problem
from webapp.projects.models import Project
from webapp.videos import downloads, fetching, uploads
from webapp.videos.bucket import s3_client
from webapp.videos.downloads import download
from webapp.videos.fetching import begin_fetch, cancel_fetch, run_fetch
from webapp.videos.models import Fetch, FetchState, Upload, Video
from webapp.videos.upload_files import upload_path

JSON = "application/json"
DATA = bytes(range(256)) * 20


class _Handler(BaseHTTPRequestHandler):
    """Serves /clip.mp4 (also without its size, and cut off), and URLs that redirect to other URLs or to none."""

    def do_GET(self) -> None:
        places = {
            "/moved": "/clip.mp4",
            "/moved-badly": "http://[::1",
            "/inside": "http://10.0.0.1/clip.mp4",
            "/circle": "/circle",
            "/file": "file:///",
            "/nowhere": "",
        }
        self.send_response(302 if self.path in places else 200 if self.path.startswith("/clip") else 404)
        if self.path in places and self.path != "/nowhere":
            self.send_header("Location", places[self.path])
        if self.path != "/clip-unknown.mp4":
            self.send_header("Content-Length", str(len(DATA) if self.path.startswith("/clip") else 0))
        self.end_headers()
        if self.path.startswith("/clip"):
            self.wfile.write(DATA[: 100 if self.path == "/clip-cut.mp4" else None])

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Yield the address of a server on this machine."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def folder(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sent_tasks: list[Any]) -> Path:
    """Give the server an import folder, and let it fetch from URLs, also from this machine's. Return the folder."""
    folder = tmp_path / "clips"
    (folder / "day one").mkdir(parents=True)
    (folder / "day one" / "reef.mp4").write_bytes(DATA)
    (folder / "day one" / ".hidden").write_bytes(b"x")
    (tmp_path / "secret").write_bytes(b"secret")
    (folder / "out").symlink_to(tmp_path / "secret")
    (folder / "home").symlink_to(settings.HOME)
    values = {
        "MASKWRIGHT_IMPORT_FOLDER": str(folder),
        "MASKWRIGHT_IMPORT_ADDRESSES": True,
        "MASKWRIGHT_ALLOWED_NETWORKS": ["127.0.0.0/8"],
    }
    for name, value in values.items():
        monkeypatch.setitem(settings.CONFIG.values, name, value)
    return folder


@pytest.fixture(scope="module")
def footage(s3_server: str) -> Iterator[str]:
    """Yield the address of a bucket of a server that speaks S3 over HTTP."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in aws_variables(s3_server).items():
            patch.setenv(name, value)
        client = boto3.client("s3")
        client.create_bucket(Bucket="footage")
        for key in ("clips/reef.mp4", "clips/day two/bay.mp4", "clips/", "clipsecret.mp4", "secret.mp4"):
            client.put_object(Bucket="footage", Key=key, Body=DATA)
        yield "s3://footage"


@pytest.fixture
def bucket(settings: Any, footage: str, monkeypatch: pytest.MonkeyPatch, sent_tasks: list[Any]) -> Iterator[str]:
    """Let the site read the folder `clips` of a bucket, and yield the address of the bucket."""
    monkeypatch.setitem(settings.CONFIG.values, "MASKWRIGHT_IMPORT_BUCKETS", ["footage/clips"])
    yield footage
    s3_client.cache_clear()


def fetched(by: User, project: Project, source: str, *, as_video: bool = True) -> Fetch:
    fetch = begin_fetch(by=by, project_id=project.pk, source=source, as_video=as_video)
    run_fetch(fetch.pk)
    fetch.refresh_from_db()
    return fetch


def test_a_file_of_the_import_folder_becomes_a_video_over_rest(
    client_as: Callable[[User | None], Client], annotator: User, project: Project, folder: Path
) -> None:
    client, base = client_as(annotator), f"/api/projects/{project.pk}"
    assert client.get(f"{base}/server-files").json() == [{"path": "day one", "is_folder": True, "size": 0}]
    (entry,) = client.get(f"{base}/server-files", {"path": "day one"}).json()
    assert entry == {"path": "day one/reef.mp4", "is_folder": False, "size": len(DATA)}
    made = client.post(f"{base}/fetches", {"source": entry["path"]}, content_type=JSON)
    assert (made.status_code, made.json()["state"], made.json()["video"]) == (201, "queued", None)
    run_fetch(made.json()["id"])
    done = client.get(f"/api/fetches/{made.json()['id']}").json()
    video = Video.objects.get()
    assert (done["state"], done["video"], done["progress_done"]) == ("done", video.pk, len(DATA))
    assert (video.name, video.state) == ("reef", "importing")
    assert upload_path(video.upload_id).read_bytes() == DATA  # type: ignore[arg-type]
    assert [row["id"] for row in client.get(f"{base}/fetches").json()] == [done["id"]]
    cancelled = client.post(f"{base}/fetches", {"source": entry["path"]}, content_type=JSON).json()
    assert client.post(f"/api/fetches/{cancelled['id']}/cancel").json()["state"] == "cancelled"
    run_fetch(cancelled["id"])
    assert Upload.objects.count() == 1


def test_a_folder_is_packed_and_kept_for_an_import_of_masks(annotator: User, project: Project, folder: Path) -> None:
    fetch = fetched(annotator, project, "day one", as_video=False)
    assert (fetch.state, Video.objects.count()) == (FetchState.DONE, 0)
    upload = Upload.objects.get()
    assert (upload.pk, upload.name, upload.received) == (fetch.upload_id, "day one.zip", upload.size)
    with zipfile.ZipFile(upload_path(upload.pk)) as packed:
        assert packed.read("day one/reef.mp4") == DATA


def test_an_object_of_a_bucket_becomes_a_video(
    client_as: Callable[[User | None], Client], annotator: User, project: Project, bucket: str
) -> None:
    client, address = client_as(annotator), f"/api/projects/{project.pk}/server-files"
    allowed = {"folder": False, "addresses": False, "buckets": True}
    assert client.get("/api/fetch-sources").json() == allowed
    assert [row["path"] for row in client.get(address).json()] == [f"{bucket}/clips/"]
    assert client.get(address, {"path": f"{bucket}/clips/"}).json() == [
        {"path": f"{bucket}/clips/day two/", "is_folder": True, "size": 0},
        {"path": f"{bucket}/clips/reef.mp4", "is_folder": False, "size": len(DATA)},
    ]
    fetch = fetched(annotator, project, f"{bucket}/clips/day two/bay.mp4")
    assert (fetch.state, fetch.error, fetch.progress_total) == (FetchState.DONE, "", len(DATA))
    assert (Upload.objects.get().name, Video.objects.get().name) == ("bay.mp4", "bay")
    assert upload_path(Upload.objects.get().pk).read_bytes() == DATA
    for key, says in (("clips/gone.mp4", "There is no"), ("clips/empty/", "There is nothing in")):
        failed = fetched(annotator, project, f"{bucket}/{key}")
        assert (failed.state, failed.upload) == (FetchState.FAILED, None)
        assert says in failed.error


def test_a_folder_of_a_bucket_is_packed_as_a_folder_of_the_server_is(
    annotator: User, project: Project, bucket: str
) -> None:
    fetch = fetched(annotator, project, f"{bucket}/clips/", as_video=False)
    assert (fetch.state, fetch.error) == (FetchState.DONE, "")
    upload = Upload.objects.get()
    assert (upload.name, upload.received) == ("clips.zip", upload.size)
    with zipfile.ZipFile(upload_path(upload.pk)) as packed:
        assert packed.namelist() == ["clips/day two/bay.mp4", "clips/reef.mp4"]
        assert packed.read("clips/reef.mp4") == DATA


def test_nothing_outside_of_the_allowed_part_of_a_bucket_is_found(
    client_as: Callable[[User | None], Client], annotator: User, project: Project, bucket: str
) -> None:
    client, base = client_as(annotator), f"/api/projects/{project.pk}"
    keys = ("secret.mp4", "clipsecret.mp4", "clips/../secret.mp4", "", "clips")
    for source in [f"{bucket}/{key}" for key in keys] + ["s3://other/clips/reef.mp4"]:
        assert client.post(f"{base}/fetches", {"source": source}, content_type=JSON).status_code == 404
        assert client.get(f"{base}/server-files", {"path": source}).status_code == 404
    assert not Fetch.objects.exists()


def test_a_bucket_that_cannot_be_reached_or_read_says_so(
    annotator: User, project: Project, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "no address")
    assert "cannot be reached" in fetched(annotator, project, f"{bucket}/clips/reef.mp4").error
    refused = ClientError({"Error": {"Code": "AccessDenied"}}, "GetObject")
    client = Mock(get_object=Mock(side_effect=refused))
    made = Mock(return_value=client)
    monkeypatch.setattr("boto3.Session.client", made)
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3")
    for _ in range(2):
        assert "may not read" in fetched(annotator, project, f"{bucket}/clips/reef.mp4").error
    assert made.call_count == 1, "the client is kept"


@pytest.mark.parametrize(
    "path", ["../secret", "day one/.hidden", "/etc/passwd", "out", "home", "gone.mp4", "a\0b", "x" * 900]
)
def test_nothing_outside_of_the_import_folder_is_found(
    client_as: Callable[[User | None], Client], annotator: User, project: Project, folder: Path, path: str
) -> None:
    client = client_as(annotator)
    made = client.post(f"/api/projects/{project.pk}/fetches", {"source": path}, content_type=JSON)
    assert made.status_code in (400, 404)
    assert client.get(f"/api/projects/{project.pk}/server-files", {"path": path}).status_code in (400, 404, 422)
    assert not Fetch.objects.exists()


@pytest.mark.parametrize("path", ["/clip.mp4", "/moved", "/clip-unknown.mp4"])
def test_a_file_from_an_address_becomes_a_video(
    annotator: User, project: Project, folder: Path, address: str, path: str
) -> None:
    fetch = fetched(annotator, project, address + path)
    assert (fetch.state, fetch.error) == (FetchState.DONE, "")
    upload = Upload.objects.get()
    assert upload.name == ("clip-unknown.mp4" if "unknown" in path else "clip.mp4")
    assert upload_path(upload.pk).read_bytes() == DATA


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/inside", "10.0.0.1, which is not public"),
        ("/circle", "more than 5 times"),
        ("/file", "begins with https"),
        ("/clip-cut.mp4", ""),
        ("/gone", "404"),
        ("/nowhere", "answers 302 instead of a file"),
        ("/moved-badly", "Invalid URL in location"),
    ],
)
def test_an_address_that_gives_no_file_leaves_nothing(
    annotator: User, project: Project, folder: Path, address: str, settings: Any, path: str, says: str
) -> None:
    fetch = fetched(annotator, project, address + path)
    assert fetch.state == FetchState.FAILED
    assert says in fetch.error
    assert "fault of the program" not in fetch.error
    assert (Upload.objects.count(), Video.objects.count()) == (0, 0)


def test_a_file_that_is_too_large_is_refused(
    annotator: User, project: Project, folder: Path, address: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(settings.CONFIG.values, "MASKWRIGHT_MAX_UPLOAD_MB", 0)
    for path in ("/clip.mp4", "/clip-unknown.mp4"):
        assert "MB" in fetched(annotator, project, address + path).error
    assert not Upload.objects.exists()


def test_a_file_of_unknown_size_is_measured_against_the_quota_when_it_is_here(
    annotator: User, project: Project, folder: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rooms: list[int] = []

    class Room:
        def check(self, *, frames: int = 0, size: int = 0) -> None:
            rooms.append(size)
            if size > 1000:
                raise Problem("quota", "No room.", 409)

    monkeypatch.setattr(fetching, "room_for", lambda *_: Room())
    fetch = fetched(annotator, project, f"{address}/clip-unknown.mp4")
    assert (fetch.state, fetch.error, rooms) == (FetchState.FAILED, "No room.", [len(DATA) - 1])
    assert not Upload.objects.exists()


def test_the_limit_of_uploads_under_way_does_not_hold_for_files_that_the_server_gets(
    annotator: User, project: Project, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "MOST_UNDER_WAY", 1)
    for _ in range(3):
        assert fetched(annotator, project, "day one", as_video=False).state == FetchState.DONE
    uploads.begin_upload(by=annotator, project_id=project.pk, name="own.mp4", size=10)
    with pytest.raises(Problem, match="1 uploads under way"):
        uploads.begin_upload(by=annotator, project_id=project.pk, name="own.mp4", size=10)


def test_the_data_folder_is_not_packed_with_the_folder_around_it(
    annotator: User, project: Project, folder: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.HOME = folder / "day one" / "home"
    (settings.HOME / "uploads").mkdir(parents=True)
    (settings.HOME / "secret_key").write_text("secret")
    (folder / "day one" / "key").symlink_to(settings.HOME / "secret_key")
    fetched(annotator, project, "day one", as_video=False)
    with zipfile.ZipFile(upload_path(Upload.objects.get().pk)) as packed:
        assert sorted(packed.namelist()) == ["day one/reef.mp4"]


def test_a_folder_that_is_too_large_or_no_longer_wanted_is_not_packed(
    annotator: User, project: Project, folder: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_file(*_: object, **__: object) -> None:
        pytest.fail("It is packed although it is too large.")

    with monkeypatch.context() as patch:
        patch.setitem(settings.CONFIG.values, "MASKWRIGHT_MAX_UPLOAD_MB", 0)
        patch.setattr("webapp.videos.packing.tempfile.TemporaryFile", no_file)
        assert "at most 0 MB" in fetched(annotator, project, "day one").error
    fetch = begin_fetch(by=annotator, project_id=project.pk, source="day one", as_video=False)
    monkeypatch.setattr(fetching, "check_disk", lambda *_: cancel_fetch(by=annotator, fetch_id=fetch.pk))
    monkeypatch.setattr(fetching, "_store", no_file)
    run_fetch(fetch.pk)
    fetch.refresh_from_db()
    assert fetch.state == FetchState.CANCELLED


def test_what_cannot_be_fetched_is_left_out_of_the_list_of_a_folder(
    client_as: Callable[[User | None], Client], annotator: User, project: Project, folder: Path
) -> None:
    (folder / "circle").symlink_to(folder / "circle")
    (folder / os.fsdecode(b"caf\xe9.mp4")).write_bytes(b"x")
    listed = client_as(annotator).get(f"/api/projects/{project.pk}/server-files")
    assert (listed.status_code, [entry["path"] for entry in listed.json()]) == (200, ["day one"])


def test_both_ways_are_switched_off_unless_an_administrator_allows_them(
    client_as: Callable[[User | None], Client], annotator: User, project: Project
) -> None:
    client = client_as(annotator)
    for source in ("clip.mp4", "https://8.8.8.8/clip.mp4"):
        answer = client.post(f"/api/projects/{project.pk}/fetches", {"source": source}, content_type=JSON)
        assert (answer.status_code, answer.json()["code"]) == (409, "switched_off")


def test_a_command_downloads_from_addresses_and_buckets_without_a_setting_that_allows_it(
    tmp_path: Path, address: str, footage: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, reported = tmp_path / "file", []

    def get(source: str) -> str:
        return download(source, target, lambda done, total: reported.append((done, total)))

    with pytest.raises(Problem, match=r"127\.0\.0\.1, which is not public"):
        get(f"{address}/clip.mp4")
    monkeypatch.setitem(settings.CONFIG.values, "MASKWRIGHT_ALLOWED_NETWORKS", ["127.0.0.0/8"])
    for source, name in ((f"{address}/moved", "clip.mp4"), (f"{footage}/secret.mp4", "secret.mp4")):
        assert (get(source), target.read_bytes(), reported[-1]) == (name, DATA, (len(DATA), len(DATA)))
    assert get(f"{footage}/clips/") == "clips.zip"
    with zipfile.ZipFile(target) as packed:
        assert packed.namelist() == ["clips/day two/bay.mp4", "clips/reef.mp4"]
    refusals = {
        f"{address}/inside": "10.0.0.1, which is not public",
        f"{address}/clip-cut.mp4": "cannot be reached",
        f"{address}/gone": "answers 404",
        "ftp://127.0.0.1/clip.mp4": "begins with https",
        f"{footage}/gone.mp4": "There is no",
        "s3://other/clip.mp4": "There is no",
    }
    for source, says in refusals.items():
        with pytest.raises(Problem, match=says):
            get(source)
    monkeypatch.setitem(settings.CONFIG.values, "MASKWRIGHT_MAX_UPLOAD_MB", 0)
    for source in (f"{address}/clip.mp4", f"{address}/clip-unknown.mp4", f"{footage}/clips/"):
        with pytest.raises(Problem, match="at most 0 MB"):
            get(source)
    monkeypatch.setattr(downloads, "find_spec", lambda _: None)
    with pytest.raises(Problem, match=r"pip install 'maskwright\[s3\]'"):
        get(f"{footage}/secret.mp4")
