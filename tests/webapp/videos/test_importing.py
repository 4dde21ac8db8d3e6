"""Tests of the import of an uploaded file, from the claim by a worker to the ready video."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from segmentation.formats.label_png import encode_labels
from tests.studio import until
from tests.webapp.videos.archives import numbered_picture, picture, write_zip
from tests.webapp.videos.clips import numbered, read_number, stored_truth, write_clip, write_gif
from tests.webapp.videos.conftest import Bring, files_below
from webapp.videos import importing
from webapp.videos.create import FramesInMemory
from webapp.videos.import_queue import cancel_import
from webapp.videos.importing import claim, run_import, write_video
from webapp.videos.models import Video, VideoState
from webapp.videos.refusal import ImportCancelled
from webapp.videos.storage import StoredFrames, VideoFolder, folder_of, read_truth, staging_of
from webapp.videos.tasks import import_video


def stored_numbers(video: Video) -> list[int]:
    frames = StoredFrames(video)
    return [read_number(frames[index]) for index in range(len(frames))]


def labels(index: int) -> np.ndarray:
    """Return the ground truth of frame `index`, with the object ids 1, 3 and 254. It differs from frame to frame."""
    found = np.zeros((160, 240), np.uint8)
    found[10 : 40 + index, 20:90] = 1
    found[60:100, 100 : 150 + index] = 254
    found[120:, 200:] = 3
    return found


def test_the_task_is_sent_by_its_name(waiting: Bring, tmp_path: Path) -> None:
    assert import_video.name == "videos.import_video"
    video = waiting(write_clip(tmp_path / "clip.mp4", 4))
    import_video(video.pk)
    assert Video.objects.get(pk=video.pk).state == VideoState.READY


@pytest.mark.parametrize("kind", ["mp4", "gif"])
def test_it_stores_every_frame_with_a_thumbnail(bring: Bring, tmp_path: Path, home: Path, kind: str) -> None:
    path = tmp_path / f"reef.{kind}"
    video = bring(write_clip(path, 30, rate=10) if kind == "mp4" else write_gif(path, 30))
    assert (video.state, video.error, video.name) == (VideoState.READY, "", "reef")
    assert (video.width, video.height, video.frame_count) == (240, 160, 30)
    assert (video.progress_done, video.progress_total) == (30, 30)
    assert kind == "gif" or video.fps == pytest.approx(10)
    assert stored_numbers(video) == list(range(30))
    for index in range(30):
        with Image.open(folder_of(video.pk).thumb(index)) as thumb:
            assert read_number(np.asarray(thumb)) == index
    files = files_below(home)
    assert len(files) == 61, "frames, thumbnails and the table of times; the upload and the staging folder are gone"
    assert video.size_bytes == sum(path.stat().st_size for path in files)


def test_it_sorts_pictures_as_people_count(bring: Bring, tmp_path: Path) -> None:
    names = [f"take 2/frame {index}.png" for index in range(12)]
    order = sorted(range(12), key=lambda index: names[index])
    assert order != list(range(12))
    files = [(names[index], numbered_picture(index)) for index in order]
    clutter = [("__MACOSX/take 2/._frame 1.png", b"x"), ("take 2/.DS_Store", b"x"), ("take 2/notes.txt", b"x")]
    video = bring(write_zip(tmp_path / "reef.zip", files + clutter))
    assert (video.state, video.name) == (VideoState.READY, "reef")
    assert stored_numbers(video) == list(range(12))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "TIFF"])
def test_it_reads_every_kind_of_picture(bring: Bring, tmp_path: Path, kind: str) -> None:
    files = [(f"{index:03}.{kind.lower()}", numbered_picture(index, kind)) for index in range(3)]
    assert stored_numbers(bring(write_zip(tmp_path / "clip.zip", files))) == [0, 1, 2]


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK", "I;16", "1", "LA"])
def test_it_reads_pictures_of_every_mode(bring: Bring, tmp_path: Path, mode: str) -> None:
    grey = np.tile(np.linspace(0, 255, 240).astype(np.uint8), (160, 1))
    image = Image.fromarray(grey.astype(np.uint16) * 257 if mode == "I;16" else grey)
    image = image if mode in ("I;16", "L") else image.convert(mode)
    buffer = io.BytesIO()
    image.save(buffer, "TIFF")
    video = bring(write_zip(tmp_path / "clip.zip", [("0.tif", buffer.getvalue())]))
    assert video.state == VideoState.READY, video.error
    difference = StoredFrames(video)[0].astype(int).mean(axis=2) - grey
    assert abs(difference.mean()) < 3
    assert mode == "1" or np.abs(difference).max() < 12


def test_it_keeps_the_very_bytes_of_a_jpeg(bring: Bring, tmp_path: Path) -> None:
    """A JPEG is stored byte for byte, so that engines get the pixels of the original and benchmarks stay comparable."""
    data = picture(numbered(5), "JPEG", quality=71)
    video = bring(write_zip(tmp_path / "clip.zip", [("0.jpg", data)]))
    assert folder_of(video.pk).frame(0).read_bytes() == data


@pytest.mark.parametrize(
    ("orientation", "turns", "mirrored"),
    [
        (1, 0, False),
        (2, 0, True),
        (3, 2, False),
        (4, 2, True),
        (5, 1, True),
        (6, 1, False),
        (7, 3, True),
        (8, 3, False),
    ],
)
def test_it_turns_pictures_upright_and_forgets_where_they_were_taken(
    bring: Bring, tmp_path: Path, orientation: int, turns: int, mirrored: bool
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "CameraOfSomebody"
    turned = np.rot90(numbered(9)[:, ::-1] if mirrored else numbered(9), turns)
    data = picture(np.ascontiguousarray(turned), "JPEG", exif=exif)
    video = bring(write_zip(tmp_path / "clip.zip", [("0.jpg", data)]))
    assert stored_numbers(video) == [9]
    assert b"CameraOfSomebody" not in folder_of(video.pk).frame(0).read_bytes()


def davis(sequence: str, numbers: range, masks: range | None = None, root: str = "") -> Iterator[tuple[str, bytes]]:
    for place, number in enumerate(numbers):
        yield f"{root}JPEGImages/480p/{sequence}/{place:05}.jpg", numbered_picture(number, "JPEG")
    for place in numbers if masks is None else masks:
        at = place - numbers.start if masks is None else place
        yield f"{root}Annotations/480p/{sequence}/{at:05}.png", encode_labels(labels(at))


def test_it_takes_the_masks_of_a_davis_zip_as_ground_truth(bring: Bring, tmp_path: Path) -> None:
    files = [*davis("fish", range(5), masks=range(1, 4), root="DAVIS/"), ("DAVIS/ImageSets/480p/val.txt", b"fish")]
    video = bring(write_zip(tmp_path / "upload.zip", files))
    assert (video.state, video.error, video.name) == (VideoState.READY, "", "fish")
    assert (video.truth_frames, video.truth_objects) == ([1, 2, 3], 254)
    assert stored_numbers(video) == list(range(5))
    for index in (1, 2, 3):
        assert np.array_equal(stored_truth(video, index), labels(index))
    assert read_truth(video, 0) is None


def test_it_makes_a_video_of_each_sequence(bring: Bring, tmp_path: Path, sent_tasks: list[Any], home: Path) -> None:
    files = [*davis("fish", range(3)), *davis("crab", range(10, 14)), *davis("eel", range(20, 22))]
    first = bring(write_zip(tmp_path / "upload.zip", files))
    others = list(Video.objects.exclude(pk=first.pk).order_by("pk"))
    assert [video.name for video in (first, *others)] == ["crab", "eel", "fish"]
    assert [video.state for video in others] == [VideoState.IMPORTING] * 2
    assert [path.parent.name for path in files_below(home / "uploads")] == ["uploads"], "the others still need it"
    for video in others:
        run_import(video.pk)
    assert [stored_numbers(video) for video in Video.objects.order_by("pk")] == [
        [10, 11, 12, 13],
        [20, 21],
        [0, 1, 2],
    ]
    assert all(video.truth_objects == 254 for video in Video.objects.all())
    assert files_below(home / "uploads") == []


@pytest.mark.django_db(transaction=True)
def test_it_notifies_for_the_further_sequences(bring: Bring, tmp_path: Path, sent_tasks: list[Any]) -> None:
    bring(write_zip(tmp_path / "upload.zip", [*davis("fish", range(3)), *davis("crab", range(10, 14))]))
    other = Video.objects.get(name="fish")
    assert sent_tasks == [("videos.import_video", [other.pk])]


def test_one_bad_sequence_does_not_spoil_the_others(bring: Bring, tmp_path: Path) -> None:
    bad = [("JPEGImages/480p/bad/00000.jpg", b"no picture")]
    first = bring(write_zip(tmp_path / "upload.zip", [*bad, *davis("fish", range(3))]))
    assert (first.name, first.state) == ("bad", VideoState.FAILED)
    other = Video.objects.get(name="fish")
    run_import(other.pk)
    other.refresh_from_db()
    assert stored_numbers(other) == [0, 1, 2]
    assert other.state == VideoState.READY


def test_it_prefers_480p_where_there_are_several_resolutions(bring: Bring, tmp_path: Path) -> None:
    large = [("JPEGImages/Full-Resolution/fish/00000.png", picture(np.zeros((480, 720, 3), np.uint8)))]
    assert bring(write_zip(tmp_path / "upload.zip", [*large, *davis("fish", range(2))])).width == 240


@pytest.mark.parametrize(
    "layout", ["JPEGImages/{}", "JPEGImages/fish/{}", "a/b/JPEGImages/1080p/fish/{}", "jpegimages/480p/fish/{}"]
)
def test_it_knows_the_davis_layout_in_its_variants(bring: Bring, tmp_path: Path, layout: str) -> None:
    masks = layout.replace("JPEGImages", "Annotations").replace("jpegimages", "annotations")
    files = [(layout.format(f"{i:05}.png"), numbered_picture(i)) for i in range(3)]
    files += [(masks.format(f"{i:05}.png"), encode_labels(labels(i))) for i in range(3)]
    video = bring(write_zip(tmp_path / "fish.zip", files))
    assert (video.name, video.truth_frames) == ("fish", [0, 1, 2])


def test_it_says_which_masks_it_left_out(bring: Bring, tmp_path: Path) -> None:
    files = [*davis("fish", range(2)), ("Annotations/480p/ghost/00000.png", encode_labels(labels(0)))]
    video = bring(write_zip(tmp_path / "upload.zip", files))
    assert video.state == VideoState.READY
    assert "ghost" in video.note


def test_folders_of_pictures_are_videos_of_their_own(bring: Bring, tmp_path: Path) -> None:
    files = [(f"take {take}/{i}.png", numbered_picture(10 * take + i)) for take in (1, 2) for i in range(2)]
    bring(write_zip(tmp_path / "upload.zip", files))
    assert list(Video.objects.order_by("name").values_list("name", flat=True)) == ["take 1", "take 2"]


@pytest.mark.parametrize("kind", ["grey", "bits", "colours", "black and white"])
def test_it_reads_masks_in_every_file_format(bring: Bring, tmp_path: Path, kind: str) -> None:
    two = (labels(0) > 0).astype(np.uint8)
    paletted = Image.open(io.BytesIO(encode_labels(labels(0)))).convert("RGB")
    data, expected = {
        "grey": (picture(two * 255), two),
        "bits": (picture(two.astype(bool)), two),
        "colours": (picture(np.asarray(paletted)), labels(0)),
        "black and white": (picture(np.repeat(two[..., None] * 255, 3, axis=2)), two),
    }[kind]
    files = [("JPEGImages/fish/0.png", numbered_picture(0)), ("Annotations/fish/0.png", data)]
    assert np.array_equal(stored_truth(bring(write_zip(tmp_path / "fish.zip", files)), 0), expected)


def test_a_row_is_claimed_once(waiting: Bring, tmp_path: Path) -> None:
    video = waiting(write_clip(tmp_path / "clip.mp4", 4))
    first = claim(video.pk)
    assert first is not None
    assert (first.fence, first.attempts) == (1, 1)
    assert claim(video.pk) is None
    run_import(video.pk)
    assert Video.objects.get(pk=video.pk).state == VideoState.IMPORTING


def at_each_beat(monkeypatch: pytest.MonkeyPatch, act: Callable[[int], None]) -> None:
    """Make imports store their progress at every frame, and first call `act` with the number of frames done."""
    real = importing.Heartbeat.__call__

    def beat(self: importing.Heartbeat, done: int | None = None, *, now: bool = False) -> None:
        if done is not None and not now:
            act(done)
        real(self, done, now=now)

    monkeypatch.setattr(importing, "BEAT_SECONDS", 0)
    monkeypatch.setattr(importing.Heartbeat, "__call__", beat)


def test_it_shows_how_far_it_is(waiting: Bring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    video = waiting(write_clip(tmp_path / "clip.mp4", 30))
    seen = []

    def look(done: int) -> None:
        row = Video.objects.get(pk=video.pk)
        seen.append((row.progress_done, row.progress_total, row.heartbeat is not None))

    at_each_beat(monkeypatch, look)
    run_import(video.pk)
    assert seen == [(index, 30 if index else 0, True) for index in range(30)]


def test_a_cancelled_import_stops_and_leaves_nothing(
    waiting: Bring, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = waiting(write_clip(tmp_path / "clip.mp4", 60))
    seen = []

    def cancel(done: int) -> None:
        seen.append(done)
        if done == 10:
            cancel_import(video=Video.objects.get(pk=video.pk))

    at_each_beat(monkeypatch, cancel)
    run_import(video.pk)
    video.refresh_from_db()
    assert (video.state, seen[-1]) == (VideoState.CANCELLED, 10)
    assert files_below(home) == []


def test_a_waiting_import_is_cancelled_at_once(waiting: Bring, tmp_path: Path, home: Path) -> None:
    video = waiting(write_clip(tmp_path / "clip.mp4", 4))
    cancel_import(video=video)
    run_import(video.pk)
    video.refresh_from_db()
    assert video.state == VideoState.CANCELLED
    assert files_below(home) == []


def test_a_worker_that_lost_its_claim_changes_nothing(waiting: Bring, tmp_path: Path) -> None:
    """A worker is considered lost, and another one imports the video. The first then goes on, and changes nothing."""
    waits = waiting(write_clip(tmp_path / "clip.mp4", 4))
    late = claim(waits.pk)
    assert late is not None
    Video.objects.filter(pk=waits.pk).update(heartbeat=None)
    run_import(waits.pk)
    with pytest.raises(ImportCancelled):
        write_video(late, FramesInMemory([numbered(99)]))
    video = Video.objects.get(pk=waits.pk)
    assert (video.state, video.fence) == (VideoState.READY, 2)
    assert stored_numbers(video) == [0, 1, 2, 3]
    assert not staging_of(waits.pk, 1).root.exists()


def test_the_files_of_the_worker_that_took_over_stay(
    waiting: Bring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = waiting(write_clip(tmp_path / "clip.mp4", 4))

    def taken_over(video: Video, read: object) -> bool:
        Video.objects.filter(pk=video.pk).update(fence=video.fence + 1)
        return False

    monkeypatch.setattr(importing, "_become_ready", taken_over)
    run_import(waits.pk)
    assert stored_numbers(Video(pk=waits.pk, frame_count=4)) == [0, 1, 2, 3]


def test_an_import_of_a_deleted_video_ends_quietly(
    waiting: Bring, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = waiting(write_clip(tmp_path / "clip.mp4", 30))
    at_each_beat(monkeypatch, lambda done: (Video.objects.filter(pk=video.pk).delete(), None)[1])
    run_import(video.pk)
    assert not Video.objects.exists()
    assert files_below(home) == []


def test_a_fault_of_ours_is_named_as_such(
    waiting: Bring, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a file").touch()
    monkeypatch.setattr(importing, "staging_of", lambda video_id, fence: VideoFolder(tmp_path / "a file" / "below"))
    video = waiting(write_clip(tmp_path / "clip.mp4", 4))
    run_import(video.pk)
    video.refresh_from_db()
    assert video.state == VideoState.FAILED
    assert "fault of the program" in video.error
    assert files_below(home) == []


@pytest.mark.django_db(transaction=True)  # The heartbeats come from another connection.
def test_an_import_that_failed_stays_alive_while_its_many_files_are_removed(
    waiting: Bring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = waiting(write_clip(tmp_path / "clip.mp4", 4))
    row, real = Video.objects.filter(pk=video.pk), VideoFolder.remove

    def take_long(folder: VideoFolder) -> None:
        row.update(heartbeat="2020-01-01T00:00Z")
        until(row.filter(heartbeat__year__gt=2020).exists, "a heartbeat", 5)
        real(folder)

    monkeypatch.setattr(VideoFolder, "remove", take_long)
    monkeypatch.setattr(importing, "BEAT_SECONDS", 0.01)
    monkeypatch.setattr(importing, "_publish", lambda *rest: 1 / 0)
    run_import(video.pk)
    assert row.get().state == VideoState.FAILED


def test_folders_with_very_long_names_become_videos(bring: Bring, tmp_path: Path) -> None:
    """The import shortens long names, because PostgreSQL refuses a text that is longer than its column.

    SQLite accepts such a text, so the test compares the stored names.
    """
    folders = ["d" * 300, "e" * 190 + "/" + "f" * 800 + "/1", "e" * 190 + "/" + "f" * 800 + "/2", "g"]
    path = write_zip(tmp_path / "many.zip", [(f"{f}/{i}.png", numbered_picture(i)) for f in folders for i in range(2)])
    first = bring(path)
    for other in Video.objects.exclude(pk=first.pk):
        run_import(other.pk)
    videos = list(Video.objects.order_by("pk"))
    assert [(v.state, v.error, v.frame_count) for v in videos] == [(VideoState.READY, "", 2)] * 4
    assert [v.name for v in videos] == [folder[:200] for folder in folders]
    assert len({v.part for v in videos if len(v.part) <= 400}) == 4
