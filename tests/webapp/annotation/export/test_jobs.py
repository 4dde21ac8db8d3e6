"""Tests of exports from the request to the download: masks, progress, failures and names, and who reaches them."""

from __future__ import annotations

import io
import json
import shutil
import uuid
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient, Client
from django.utils import timezone
from numpy.typing import NDArray
from PIL import Image

from segmentation.formats.label_png import davis_palette, decode_labels
from tests.webapp.videos.clips import numbered, read_number, stored_truth
from webapp.accounts.models import User
from webapp.annotation.codec import encode
from webapp.annotation.export import jobs
from webapp.annotation.export.files import export_path, folder_name, unfinished_path
from webapp.annotation.export.jobs import EXPORTS, make_export, run_export
from webapp.annotation.models import AcceptedFrame, Export, ExportState, Head, Mask, Object, Round
from webapp.annotation.tasks import export as export_task
from webapp.problems import Problem
from webapp.projects.models import Project, Role
from webapp.videos.create import create_video
from webapp.videos.importing import run_import
from webapp.videos.models import Upload, Video, VideoState
from webapp.videos.storage import folder_of
from webapp.videos.upload_files import upload_path

JSON = "application/json"
ClientAs = Callable[[User | None], Client]
COUNT = 6
BESIDE = {"manifest.json", "README.md", "SHA256SUMS"}  # Every zip has these.


@pytest.fixture(autouse=True)
def home(settings: Any, tmp_path: Path, sent_tasks: list[Any]) -> Path:
    settings.HOME = tmp_path / "home"
    (settings.HOME / "uploads").mkdir(parents=True)
    return settings.HOME


def labels(seed: int, height: int = 160, width: int = 240) -> NDArray[np.uint8]:
    """Return a random mask, uint8 [H, W], with the object ids 0, 1, 2 and 254 in regions with holes of one pixel.

    An export that resizes masks or changes object ids would therefore be noticed.
    """
    rng = np.random.default_rng(seed)
    coarse = rng.choice(np.array([0, 0, 1, 2, 254], np.uint8), (height // 8 + 1, width // 8 + 1))
    full = np.kron(coarse, np.ones((8, 8), np.uint8))[:height, :width]
    holes = rng.random(full.shape) < 0.02
    return np.where(holes, 0, full).astype(np.uint8)


def make_video(project: Project, author: User, size: tuple[int, int] = (240, 160), name: str = "Coral reef") -> Video:
    frames = (numbered(index, *size) for index in range(COUNT))
    video = create_video(project=project, name=name, frames=frames, author=author, fps=30000 / 1001)
    for number, object_name in ((1, "Fish"), (2, "Crab / left"), (254, "Eel")):
        color = {1: "#ff0000", 2: "#00ff00", 254: "#0000ff"}[number]
        Object.objects.create(video=video, number=number, name=object_name, color=color, created_by=author)
    return video


def add_round(video: Video, masks: dict[int, NDArray[np.uint8]], base: Round | None = None) -> Round:
    """Create a round that has ended with these masks (by frame), and make it the head of the video."""
    number = Round.objects.filter(video=video).count() + 1
    made = Round.objects.create(
        video=video,
        number=number,
        key=uuid.uuid4(),
        author=video.created_by,
        frame=0,
        scribbles=[],
        num_objects=254,
        engine="fake",
        base=base,
        state="done",
    )
    Mask.objects.bulk_create(Mask(round=made, frame=frame, data=encode(mask)) for frame, mask in masks.items())
    Head.objects.update_or_create(video=video, defaults={"round": made, "next_round_number": number + 1})
    return made


@pytest.fixture
def video(project: Project, owner: User) -> Video:
    made = make_video(project, owner)
    add_round(made, {index: labels(index) for index in range(COUNT)})
    return made


def exported(video: Video, format_name: str, round_id: int | None = None) -> Path:
    export = make_export(by=video.created_by, video_id=video.pk, format_name=format_name, round_id=round_id)
    run_export(export.pk)
    export.refresh_from_db()
    assert (export.state, export.error) == (ExportState.DONE, "")
    assert export.progress_done == export.progress_total == COUNT
    assert export.size_bytes == export_path(export.pk).stat().st_size
    return export_path(export.pk)


def brought_in(path: Path, project: Project, author: User) -> Video:
    size = path.stat().st_size
    upload = Upload.objects.create(project=project, name="x.zip", size=size, received=size, created_by=author)
    shutil.copy(path, upload_path(upload.pk))
    video = Video.objects.create(project=project, name="x", upload=upload, created_by=author)
    run_import(video.pk)
    video.refresh_from_db()
    assert video.state == VideoState.READY, video.error
    return video


@pytest.mark.parametrize("size", [(240, 160), (241, 161), (640, 480)])
def test_davis_masks_come_back_as_identical_ground_truth(project: Project, owner: User, size: tuple[int, int]) -> None:
    video = make_video(project, owner, size)
    masks = {index: labels(index, size[1], size[0]) for index in range(COUNT)}
    add_round(video, masks)
    back = brought_in(exported(video, "davis"), project, owner)
    assert (back.name, back.truth_frames, back.truth_objects) == ("Coral-reef", list(range(COUNT)), 254)
    for index, mask in masks.items():
        assert np.array_equal(stored_truth(back, index), mask)
        assert folder_of(back.pk).frame(index).read_bytes() == folder_of(video.pk).frame(index).read_bytes()


def test_a_davis_zip_has_the_layout_of_the_challenge(video: Video) -> None:
    with zipfile.ZipFile(exported(video, "davis")) as archive:
        names = set(archive.namelist())
        expected = {f"JPEGImages/Full-Resolution/Coral-reef/{index:05}.jpg" for index in range(COUNT)}
        expected |= {f"Annotations/Full-Resolution/Coral-reef/{index:05}.png" for index in range(COUNT)}
        assert names == expected | {"objects.json", "ImageSets/2017/val.txt", *BESIDE}
        with Image.open(archive.open("Annotations/Full-Resolution/Coral-reef/00003.png")) as mask:
            assert mask.mode == "P"
            assert np.array_equal(np.array(mask), labels(3))
            palette = np.array(mask.getpalette(), np.uint8).reshape(-1, 3)
            assert np.array_equal(palette, davis_palette()[: len(palette)])
        table = json.loads(archive.read("objects.json"))
    assert [(object_["id"], object_["name"]) for object_ in table["objects"]] == [
        (1, "Fish"),
        (2, "Crab / left"),
        (254, "Eel"),
    ]


def test_a_video_of_480_lines_is_called_480p(project: Project, owner: User) -> None:
    video = make_video(project, owner, (640, 480))
    add_round(video, {0: labels(0, 480, 640)})
    with zipfile.ZipFile(exported(video, "davis")) as archive:
        assert "JPEGImages/480p/Coral-reef/00000.jpg" in archive.namelist()


def test_a_mask_is_that_of_the_newest_round_of_its_line(video: Video, owner: User) -> None:
    first = Round.objects.get()
    second = add_round(video, {2: labels(92), 3: labels(93)}, base=first)
    add_round(video, {2: labels(82)}, base=first)  # This round is on another branch.
    accepted = Mask.objects.get(round=second, frame=3)
    AcceptedFrame.objects.create(video=video, frame=3, mask=accepted, author=owner)

    def masks(round_id: int) -> list[NDArray[np.uint8]]:
        with zipfile.ZipFile(exported(video, "davis", round_id)) as archive:
            base = "Annotations/Full-Resolution/Coral-reef"
            return [decode_labels(io.BytesIO(archive.read(f"{base}/{index:05}.png"))) for index in range(COUNT)]

    for round_id, expected in ((first.pk, [0, 1, 2, 93, 4, 5]), (second.pk, [0, 1, 92, 93, 4, 5])):
        for mask, seed in zip(masks(round_id), expected, strict=True):
            assert np.array_equal(mask, labels(seed))


def test_frames_without_a_mask_have_none_in_the_export(project: Project, owner: User) -> None:
    video = make_video(project, owner)
    add_round(video, {2: labels(2)})
    back = brought_in(exported(video, "davis"), project, owner)
    assert (back.frame_count, back.truth_frames) == (COUNT, [2])


def test_deleted_objects_are_left_out(video: Video) -> None:
    Object.objects.filter(number=2).update(deleted_at=timezone.now())
    with zipfile.ZipFile(exported(video, "davis")) as archive:
        mask = decode_labels(archive.open("Annotations/Full-Resolution/Coral-reef/00001.png"))
    expected = labels(1)
    expected[expected == 2] = 0
    assert np.array_equal(mask, expected)
    with zipfile.ZipFile(exported(video, "objects")) as archive:
        assert not any(name.startswith("002") for name in archive.namelist())


def test_each_object_has_its_own_pictures(video: Video) -> None:
    with zipfile.ZipFile(exported(video, "objects")) as archive:
        folders = {"001-Fish": 1, "002-Crab-left": 2, "254-Eel": 254}
        assert {name.split("/")[0] for name in archive.namelist()} == {*folders, "objects.json", *BESIDE}
        for folder, number in folders.items():
            for index in range(COUNT):
                with Image.open(archive.open(f"{folder}/{index:05}.png")) as mask:
                    assert mask.mode == "L"
                    assert np.array_equal(np.array(mask), (labels(index) == number) * np.uint8(255))


@pytest.mark.parametrize("size", [(240, 160), (241, 161), (1280, 720)])
def test_the_overlay_is_an_h264_video_of_every_frame(project: Project, owner: User, size: tuple[int, int]) -> None:
    video = make_video(project, owner, size)
    below = np.zeros((size[1], size[0]), np.uint8)
    half = size[1] // 2
    below[half : half + size[1] // 5, 20:200] = 1
    add_round(video, {index: below for index in range(COUNT) if index != 4})
    with av.open(str(exported(video, "overlay"))) as file:
        stream = file.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert stream.codec_context.pix_fmt == "yuv420p"
        assert (stream.width, stream.height) == (size[0] + size[0] % 2, size[1] + size[1] % 2)
        assert float(stream.average_rate or 0) == pytest.approx(30000 / 1001, rel=1e-4)
        hd = "ITU709" if size[1] >= 720 else None
        pictures = [
            frame.to_ndarray(format="rgb24", src_colorspace=hd).astype(np.uint8) for frame in file.decode(stream)
        ]
    assert len(pictures) == COUNT
    middle = (half + size[1] // 10, 110)
    for index, picture in enumerate(pictures):
        picture = picture[: size[1], : size[0]]
        if index == 4:
            assert read_number(picture) == 4
            assert abs(int(picture[middle][0]) - 90) < 12, "no mask, no colour"
            continue
        red, green, blue = (int(value) for value in picture[middle])
        assert abs(red - (90 + 255) / 2) < 20
        assert abs(green - 45) < 20
        assert abs(blue - 45) < 20


def test_the_task_is_sent_by_its_name(
    video: Video, sent_tasks: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    assert export_task.name == "annotation.export"
    with django_capture_on_commit_callbacks(execute=True):
        export = make_export(by=video.created_by, video_id=video.pk, format_name="davis")
    assert sent_tasks == [("annotation.export", [export.pk])]
    export_task(export.pk)
    assert Export.objects.get().state == ExportState.DONE


def test_a_video_without_masks_is_not_exported(project: Project, owner: User) -> None:
    video = make_video(project, owner)
    with pytest.raises(Problem, match="Run a round first"):
        make_export(by=owner, video_id=video.pk, format_name="davis")
    assert not Export.objects.exists()


def test_a_round_of_another_video_is_not_exported(video: Video, project: Project, owner: User) -> None:
    other = make_video(project, owner)
    with pytest.raises(Problem, match="round does not exist"):
        make_export(by=owner, video_id=other.pk, format_name="davis", round_id=Round.objects.get(video=video).pk)


def test_a_cancelled_export_stops_and_leaves_no_file(
    video: Video, home: Path, monkeypatch: pytest.MonkeyPatch, client_as: ClientAs, owner: User
) -> None:
    monkeypatch.setattr(jobs, "PROGRESS_SECONDS", 0)
    export = make_export(by=owner, video_id=video.pk, format_name="davis")
    done = []
    real = jobs._Progress.__call__

    def progress(self: Any, frame: int) -> None:
        done.append(frame)
        if frame == 3:
            assert client_as(owner).delete(f"/api/exports/{export.pk}").status_code == 204
        real(self, frame)

    monkeypatch.setattr(jobs._Progress, "__call__", progress)
    run_export(export.pk)
    export.refresh_from_db()
    assert (export.state, done) == (ExportState.CANCELLED, [1, 2, 3])
    assert list((home / "exports").iterdir()) == []


def test_an_export_whose_worker_died_is_made_again(video: Video, owner: User, home: Path) -> None:
    export = make_export(by=owner, video_id=video.pk, format_name="davis")
    killed = Export.objects.filter(pk=export.pk)
    (home / "exports").mkdir()
    for attempt in range(1, EXPORTS.limits.max_attempts + 1):
        unfinished_path(export.pk, attempt).write_bytes(b"half")
        old = timezone.now() - timedelta(minutes=5)
        killed.update(state=ExportState.RUNNING, fence=attempt, attempts=attempt, heartbeat=old)
        EXPORTS.sweep()
        export.refresh_from_db()
        expected = ExportState.QUEUED if attempt < EXPORTS.limits.max_attempts else ExportState.FAILED
        assert export.state == expected
        assert list((home / "exports").iterdir()) == []
    assert "stopped 3 times" in export.error


def test_a_live_export_is_left_alone_by_the_sweep(video: Video, owner: User) -> None:
    export = make_export(by=owner, video_id=video.pk, format_name="davis")
    Export.objects.update(state=ExportState.RUNNING, fence=1, heartbeat=timezone.now())
    EXPORTS.sweep()
    export.refresh_from_db()
    assert export.state == ExportState.RUNNING


def test_a_fault_ends_with_a_sentence(video: Video, owner: User, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    export = make_export(by=owner, video_id=video.pk, format_name="davis")
    folder_of(video.pk).frame(2).unlink()
    run_export(export.pk)
    export.refresh_from_db()
    assert export.state == ExportState.FAILED
    assert export.error.endswith(".")
    assert list((home / "exports").iterdir()) == []


def test_the_download_is_named_after_video_and_round(video: Video, client_as: ClientAs, viewer: User) -> None:
    add_round(video, {0: labels(7)}, base=Round.objects.get())
    Video.objects.update(name="Riff ä/ö: 2")
    path = exported(video, "davis")
    export = Export.objects.get()
    answer = client_as(viewer).get(f"/api/exports/{export.pk}/file")
    assert answer.status_code == 200
    assert "Riff-%C3%A4-%C3%B6-2-round-2-davis.zip" in answer["Content-Disposition"]
    assert answer["Content-Length"] == str(path.stat().st_size)
    assert b"".join(answer) == path.read_bytes()


@pytest.mark.django_db(transaction=True)
async def test_the_download_is_streamed_under_asgi(video: Video, viewer: User) -> None:
    path = await sync_to_async(exported)(video, "davis")
    client = AsyncClient()
    await sync_to_async(client.force_login)(viewer)
    answer: Any = await client.get(f"/api/exports/{path.name}/file")
    assert answer.is_async
    assert b"".join([chunk async for chunk in answer]) == path.read_bytes()
    assert "Coral-reef-round-1-davis.zip" in answer["Content-Disposition"]


@pytest.mark.parametrize(
    ("name", "folder"),
    [("a/b", "a-b"), ("../..", "video"), ("", "video"), ("x" * 200, "x" * 80), ("fish 1.mp4", "fish-1.mp4")],
)
def test_names_become_plain_folders(name: str, folder: str) -> None:
    assert folder_name(name) == folder


def test_the_list_is_what_the_page_shows(video: Video, client_as: ClientAs, viewer: User, annotator: User) -> None:
    exported(video, "objects")
    client_as(annotator).post(f"/api/videos/{video.pk}/exports", {"format": "davis"}, JSON)
    for address in (f"/api/videos/{video.pk}/exports", f"/api/projects/{video.project_id}/exports"):
        rows = client_as(viewer).get(address).json()
        assert [(row["format"], row["state"], row["author"]) for row in rows] == [
            ("davis", "queued", "Annotator"),
            ("objects", "done", "Owner"),
        ]
        assert (rows[0]["video"], rows[0]["video_name"], rows[0]["round"]) == (video.pk, "Coral reef", 1)
    assert client_as(viewer).get(f"/api/exports/{rows[0]['id']}").json() == rows[0]
    assert client_as(viewer).get(f"/api/exports/{rows[0]['id']}/file").status_code == 409


def test_only_members_reach_an_export(
    video: Video, client_as: ClientAs, cast: dict[Role, User], stranger: User
) -> None:
    exported(video, "objects")
    export = Export.objects.get()  # The export that the owner made
    lists = (f"/api/videos/{video.pk}/exports", f"/api/projects/{video.project_id}/exports")
    for user, status in ((stranger, 404), (None, 401)):
        for address in (*lists, f"/api/exports/{export.pk}", f"/api/exports/{export.pk}/file"):
            assert client_as(user).get(address).status_code == status
        assert client_as(user).post(lists[0], {"format": "davis"}, JSON).status_code == status
        assert client_as(user).delete(f"/api/exports/{export.pk}").status_code == status
    assert client_as(cast[Role.VIEWER]).post(lists[0], {"format": "davis"}, JSON).status_code == 403
    assert client_as(cast[Role.REVIEWER]).delete(f"/api/exports/{export.pk}").status_code == 403
    assert Export.objects.count() == 1
    assert client_as(cast[Role.MANAGER]).delete(f"/api/exports/{export.pk}").status_code == 204
    assert client_as(cast[Role.MANAGER]).get(lists[0]).json() == []


@pytest.mark.django_db(transaction=True)
def test_the_file_goes_with_the_row(video: Video) -> None:
    first, second = exported(video, "objects"), exported(video, "davis")
    Export.objects.get(format="objects").delete()
    assert not first.exists()
    assert second.exists()


def test_an_overlay_begins_with_its_index_and_is_written_once(video: Video) -> None:
    """The index of an mp4 (box "moov") comes before the frames ("mdat"), so that players can begin at once.

    The exporter reserves room for the index, and the box "free" fills what the index does not need. To rewrite the file
    at the end instead would take longer for longer files and would block all threads.
    """
    data = exported(video, "overlay").read_bytes()
    room = data.index(b"free")
    assert data.index(b"moov") < room < data.index(b"mdat")
    assert int.from_bytes(data[room - 4 : room]) > 1000, "the file has none of the room that was reserved for the index"
