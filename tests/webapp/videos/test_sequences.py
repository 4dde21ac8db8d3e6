"""Tests of imports of zips and files with frames, masks, pages or several videos, and of what the videos' notes say."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from segmentation.formats.label_png import encode_labels
from tests.segmentation.shared_data import shared
from tests.webapp.videos.archives import animated_png, numbered_picture, picture, write_zip
from tests.webapp.videos.clips import numbered, read_number, stored_truth, write_clip
from tests.webapp.videos.conftest import Bring, Limit
from webapp.videos.importing import run_import
from webapp.videos.models import Video, VideoState
from webapp.videos.source_table import SourceTable, read_source_table
from webapp.videos.storage import StoredFrames


def labels(*ids: int) -> np.ndarray:
    found = np.zeros((160, 240), np.uint8)
    for place, number in enumerate(ids):
        found[20:80, 20 + 60 * place : 60 + 60 * place] = number
    return found


def sequence(name: str, count: int = 3, masks: range | None = None, root: str = "") -> list[tuple[str, bytes]]:
    files = [(f"{root}JPEGImages/480p/{name}/{i:05}.jpg", numbered_picture(i, "JPEG")) for i in range(count)]
    numbers = range(count) if masks is None else masks
    return files + [(f"{root}Annotations/480p/{name}/{i:05}.png", encode_labels(labels(1, 2))) for i in numbers]


def stored_numbers(video: Video) -> list[int]:
    frames = StoredFrames(video)
    return [read_number(frames[index]) for index in range(len(frames))]


def the_others(first: Video) -> list[Video]:
    """Import and return all videos except `first`. An upload with several sequences becomes several videos."""
    others = list(Video.objects.exclude(pk=first.pk).order_by("pk"))
    for video in others:
        run_import(video.pk)
        video.refresh_from_db()
    return others


@pytest.mark.parametrize("extra", [[], [("__MACOSX\\car\\._00000.jpg", b"x")]])
def test_backslashes_between_folders_are_slashes(bring: Bring, tmp_path: Path, extra: list[tuple[str, bytes]]) -> None:
    files = [(name.replace("/", "\\"), data) for name, data in [*sequence("car"), *sequence("bus", 2)]]
    first = bring(write_zip(tmp_path / "upload.zip", files + extra))
    (second,) = the_others(first)
    assert [(v.name, v.frame_count, v.truth_frames, v.note) for v in (first, second)] == [
        ("bus", 2, [0, 1], ""),
        ("car", 3, [0, 1, 2], ""),
    ]


def test_files_that_are_not_read_are_named_in_the_note(bring: Bring, tmp_path: Path) -> None:
    files = [(f"f/{i}.png", numbered_picture(i)) for i in range(3)]
    video = bring(write_zip(tmp_path / "a.zip", [*files, ("f/IMG_3.heic", b"x")]))
    assert (video.frame_count, video.note) == (3, "1 file was left out: IMG_3.heic.")
    many = [(f"f/raw {i}.dng", b"x") for i in range(5)]
    video = bring(write_zip(tmp_path / "b.zip", [*files, *many]))
    assert video.note == "5 files were left out: raw 0.dng, raw 1.dng, raw 2.dng and 2 more."
    clutter = [("f/@eaDir/0.png/SYNOPHOTO_THUMB_M.jpg", numbered_picture(7, "JPEG")), ("f/Thumbs.db", b"x")]
    video = bring(write_zip(tmp_path / "c.zip", [*files, *clutter]))
    assert (video.frame_count, video.note) == (3, "")


def test_pictures_that_cannot_be_read_at_all_are_named(bring: Bring, tmp_path: Path) -> None:
    video = bring(write_zip(tmp_path / "a.zip", [("IMG_1.HEIC", b"x"), ("IMG_2.HEIC", b"x")]))
    assert video.state == VideoState.FAILED
    assert "IMG_1.HEIC, IMG_2.HEIC" in video.error
    assert "JPEG or PNG" in video.error


def test_a_bad_sequence_is_named_and_the_good_ones_come(bring: Bring, tmp_path: Path) -> None:
    files = [*sequence("bus", 3), *sequence("car", 3, masks=range(4)), *sequence("dog", 2)]
    first = bring(write_zip(tmp_path / "upload.zip", files))
    car, dog = the_others(first)
    assert [(v.name, v.state) for v in (first, car, dog)] == [
        ("bus", VideoState.READY),
        ("car", VideoState.FAILED),
        ("dog", VideoState.READY),
    ]
    sentence = "The mask car/00003.png has no frame of the same name"
    assert first.note == f"1 sequence was left out: car ({sentence})."
    assert car.error.startswith(f"{sentence}. Remove it")
    assert dog.note == ""


def test_the_same_name_in_two_splits_is_two_videos(bring: Bring, tmp_path: Path) -> None:
    files = [*sequence("car", 3, root="train/"), *sequence("car", 2, root="valid/")]
    first = bring(write_zip(tmp_path / "upload.zip", files))
    (second,) = the_others(first)
    assert [(v.name, v.frame_count) for v in (first, second)] == [("train/car", 3), ("valid/car", 2)]


def test_masks_of_black_and_white_are_one_object_in_every_frame(bring: Bring, tmp_path: Path) -> None:
    files = sequence("car", 3, masks=range(0))
    gone = encode_labels(labels())
    files += [(f"Annotations/480p/car/{i:05}.png", encode_labels(labels(255)) if i else gone) for i in range(3)]
    video = bring(write_zip(tmp_path / "car.zip", files))
    assert (video.error, video.truth_objects, video.truth_frames) == ("", 1, [0, 1, 2])
    assert np.array_equal(stored_truth(video, 2), labels(1))


def test_masks_that_are_neither_ids_nor_black_and_white_are_refused(bring: Bring, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (160, 240), np.uint8)
    files = [*sequence("car", 2, masks=range(1)), ("Annotations/480p/car/00001.png", picture(noise))]
    video = bring(write_zip(tmp_path / "car.zip", files))
    assert video.state == VideoState.FAILED
    assert video.error.startswith("The mask car/00001.png: its grey values are neither object ids nor plainly black")
    assert "save masks as PNG" in video.error


def stack(*numbers: int, kind: str = "TIFF") -> bytes:
    pages = [Image.fromarray(numbered(number)) for number in numbers]
    buffer = io.BytesIO()
    lossless = {"lossless": True} if kind == "WEBP" else {}
    pages[0].save(buffer, kind, save_all=True, append_images=pages[1:], **lossless)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["TIFF", "PNG", "WEBP", "GIF"])
@pytest.mark.parametrize("alone", [True, False])
def test_every_page_of_a_picture_is_a_frame(bring: Bring, tmp_path: Path, kind: str, alone: bool) -> None:
    data = stack(*range(5), kind=kind)
    path = tmp_path / f"cells.{kind.lower()}"
    path.write_bytes(data)
    video = bring(path if alone else write_zip(tmp_path / "cells.zip", [(f"in/stack.{kind.lower()}", data)]))
    assert (video.state, video.error, video.name) == (VideoState.READY, "", "cells")
    assert stored_numbers(video) == list(range(5))


def test_pages_stand_among_other_pictures_in_their_place(bring: Bring, tmp_path: Path) -> None:
    files = [("1.png", numbered_picture(1)), ("2.tif", stack(2, 3, 4)), ("10.png", numbered_picture(5))]
    assert stored_numbers(bring(write_zip(tmp_path / "a.zip", files))) == [1, 2, 3, 4, 5]


def test_pages_of_masks_go_with_pages_of_pictures(bring: Bring, tmp_path: Path) -> None:
    pages = [Image.fromarray(labels(1)), Image.fromarray(labels(1, 2)), Image.fromarray(labels(2))]
    buffer = io.BytesIO()
    pages[0].save(buffer, "TIFF", save_all=True, append_images=pages[1:])
    for count in (3, 2, 4):
        files = [("JPEGImages/car/s.tif", stack(*range(count))), ("Annotations/car/s.tif", buffer.getvalue())]
        video = bring(write_zip(tmp_path / f"{count}.zip", files))
        if count == 3:
            assert np.array_equal(stored_truth(video, 1), labels(1, 2))
            assert np.array_equal(stored_truth(video, 2), labels(2))
        else:
            assert "The mask car/s.tif has 3 pages" in video.error


def test_a_single_picture_is_still_no_video(bring: Bring, tmp_path: Path) -> None:
    (tmp_path / "one.tif").write_bytes(stack(1))
    assert "a single picture" in bring(tmp_path / "one.tif").error


def test_masks_of_pascal_voc_are_ground_truth_with_a_warning(bring: Bring, tmp_path: Path) -> None:
    files = [
        ("JPEGImages/frame_0.PNG", numbered_picture(0)),
        ("SegmentationObject/frame_0.png", encode_labels(labels(1))),
        ("labelmap.txt", b"x"),
        ("ImageSets/Segmentation/default.txt", b"frame_0"),
    ]
    video = bring(write_zip(tmp_path / "a.zip", files))
    assert video.truth_frames == [0]
    assert "SegmentationObject" in video.note
    assert "1 file was left out: labelmap.txt." in video.note


def ramp(top: float) -> np.ndarray:
    return np.tile(np.linspace(0, top, 240), (160, 1))


@pytest.mark.parametrize(
    ("top", "kind", "form"),
    [
        (1023, "uint16", "PNG"),
        (4000, "uint16", "PNG"),
        (16383, "uint16", "TIFF"),
        (65535, "uint16", "TIFF"),
        (200, "uint16", "PNG"),
        (1.0, "float32", "TIFF"),
        (255.0, "float32", "TIFF"),
        (90000, "int32", "TIFF"),
    ],
)
def test_pictures_of_many_bits_are_scaled_by_the_range_of_their_sequence(
    bring: Bring, tmp_path: Path, top: float, kind: str, form: str
) -> None:
    """Frames of more than 8 bits are converted to 8 bits with one scale for the whole sequence.

    The first frame is half as bright as the second, before and after the conversion.
    """
    files = []
    for index, share in enumerate((0.5, 1.0)):
        files.append((f"{index}.{form.lower()}", picture(ramp(top * share).astype(kind), form)))
    frames = StoredFrames(bring(write_zip(tmp_path / "a.zip", files)))
    full = 255 * (top / next((s for s in (1, 255, 1023, 4095, 16383, 65535) if top <= s), top))
    full = 200 if top == 200 else full
    assert abs(float(frames[1][:, -1].mean()) - full) < 4
    assert abs(float(frames[0][:, -1].mean()) - full / 2) < 4
    assert frames[0][:, 0].mean() < 4


def colours_of_16_bits(top: int, kind: str, alpha: int | None = None) -> bytes:
    """Encode an image with 16 bits a channel. From left to right, red rises to `top`, green and blue to half of it."""
    red = ramp(top)
    channels = [red / 2, red / 2, red] + ([] if alpha is None else [np.full_like(red, alpha)])
    found, data = cv2.imencode(f".{kind}", np.dstack(channels).astype(np.uint16))
    assert found
    return data.tobytes()


@pytest.mark.parametrize("kind", ["png", "tiff"])
@pytest.mark.parametrize(("top", "full"), [(4095, 4095), (3000, 4095), (65535, 65535)])
def test_colours_of_16_bits_are_scaled_like_grey(bring: Bring, tmp_path: Path, kind: str, top: int, full: int) -> None:
    files = [(f"{index}.{kind}", colours_of_16_bits(top // (2 - index), kind)) for index in range(2)]
    frames = StoredFrames(bring(write_zip(tmp_path / "a.zip", files)))
    bright = 255 * top / full
    assert np.abs(frames[1][:, -8:].mean(axis=(0, 1)) - np.array([1, 0.5, 0.5]) * bright).max() < 8
    assert np.abs(frames[0][:, -8:].mean(axis=(0, 1)) - np.array([0.5, 0.25, 0.25]) * bright).max() < 8


def test_clear_pixels_of_16_bits_are_black(bring: Bring, tmp_path: Path) -> None:
    clear = colours_of_16_bits(65535, "png", alpha=0)
    assert StoredFrames(bring(write_zip(tmp_path / "a.zip", [("0.png", clear)])))[0].max() < 8


def test_every_page_of_16_bit_colours_is_a_frame_of_its_own(bring: Bring, tmp_path: Path) -> None:
    pages = [np.full((160, 240, 3), level, np.uint16) for level in (1000, 4000)]
    assert cv2.imwritemulti(str(tmp_path / "stack.tif"), pages)
    frames = StoredFrames(bring(tmp_path / "stack.tif"))
    assert [round(float(frames[index].mean()) / 255, 2) for index in range(len(frames))] == [0.24, 0.98]


@pytest.mark.parametrize("before", [False, True])
def test_every_page_of_an_animated_png_of_16_bits_is_a_frame(bring: Bring, tmp_path: Path, before: bool) -> None:
    """`before` puts a picture before the animation. The last page replaces only the upper half of the one before it."""
    pages = [np.full((160, 240, 3), level, np.uint16) for level in (1000, 2000, 4000)]
    (tmp_path / "cells.png").write_bytes(animated_png([*pages, np.zeros((80, 240, 3), np.uint16)], before=before))
    video = bring(tmp_path / "cells.png")
    assert (video.error, video.frame_count) == ("", 4)
    frames = StoredFrames(video)
    rows = [(frames[index][:70], frames[index][90:]) for index in range(4)]
    found = [tuple(round(float(half.mean()) / 255, 2) for half in halves) for halves in rows]
    assert found == [(0.24, 0.24), (0.49, 0.49), (0.98, 0.98), (0.0, 0.98)]


def test_frames_keep_the_names_of_their_files(bring: Bring, tmp_path: Path) -> None:
    files = [(f"in/IMG_{number:04}.png", numbered_picture(number)) for number in (2, 5, 11)]
    video = bring(write_zip(tmp_path / "a.zip", [*files, ("in/stack.tif", stack(1, 2))]))
    table = read_source_table(video.pk, video.frame_count)
    assert table.names == ["IMG_0002.png", "IMG_0005.png", "IMG_0011.png", "stack_0001.tif", "stack_0002.tif"]
    assert table.stems() == ["IMG_0002", "IMG_0005", "IMG_0011", "stack_0001", "stack_0002"]


def test_names_that_are_the_same_without_their_suffix_are_no_stems() -> None:
    assert SourceTable(["a.png", "A.jpg"], [None, None]).stems() is None
    assert SourceTable(["a.png", ""], [None, None]).stems() is None


# --- video files in zips ----------------------------------------------------------------------------------------------


def test_each_video_file_in_a_zip_is_a_video(bring: Bring, tmp_path: Path) -> None:
    first = write_clip(tmp_path / "first.mp4", 4, rate=10).read_bytes()
    second = write_clip(tmp_path / "second.mkv", 6).read_bytes()
    files = [("day/second.MKV", second), ("day/first.mp4", first), ("day/notes.txt", b"x")]
    video = bring(write_zip(tmp_path / "a.zip", files))
    (other,) = the_others(video)
    assert [(v.name, v.state, v.fps, stored_numbers(v)) for v in (video, other)] == [
        ("first", VideoState.READY, 10, [0, 1, 2, 3]),
        ("second", VideoState.READY, 25, [0, 1, 2, 3, 4, 5]),
    ]


def test_a_video_file_beside_pictures_is_a_video_of_its_own(bring: Bring, tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", 2).read_bytes()
    video = bring(write_zip(tmp_path / "a.zip", [("f/0.png", numbered_picture(3)), ("f/clip.mp4", clip)]))
    (other,) = the_others(video)
    assert (video.name, stored_numbers(video), video.note) == ("a", [3], "")
    assert (other.name, stored_numbers(other)) == ("clip", [0, 1])


def test_what_only_has_the_name_of_a_video_file_fails_alone(bring: Bring, tmp_path: Path) -> None:
    files = [("f/0.png", numbered_picture(3)), ("f/playlist.mp4", b"#EXTM3U"), ("f/inner.mov", b"PK\x03\x04")]
    video = bring(write_zip(tmp_path / "a.zip", files))
    inner, playlist = the_others(video)
    assert video.state == VideoState.READY
    assert inner.error == "f/inner.mov is a zip, not a video."
    assert playlist.error.startswith("f/playlist.mp4 cannot be used. This is a playlist")


def test_a_video_file_in_a_zip_may_be_as_large_as_an_upload(bring: Bring, tmp_path: Path, limit: Limit) -> None:
    limit("MASKWRIGHT_MAX_UPLOAD_MB", 1)
    video = bring(write_zip(tmp_path / "a.zip", [("clip.mp4", bytes(2 << 20))]))
    assert video.error == "clip.mp4 inflates to more bytes than an upload may have."


def test_colours_under_clear_pixels_are_not_shown(bring: Bring, tmp_path: Path) -> None:
    hidden = np.full((160, 240, 4), 200, np.uint8)
    hidden[:, :120, 3] = 0
    hidden[:, 120:, 3] = 255
    frames = StoredFrames(bring(write_zip(tmp_path / "a.zip", [("0.png", picture(hidden))])))
    assert frames[0][:, :110].max() < 8
    assert frames[0][:, 130:].min() > 190


# --- inputs that once were imported wrongly ---------------------------------------------------------------------------

CASES = {
    "bs_davis.zip": ("car", 2, [0, 1], 1, ""),
    "m_P_255.zip": ("car", 1, [0], 1, ""),
    "m_aa_grey.zip": ("car", 1, [0], 1, ""),
    "davis_root_L255.zip": ("car", 6, [*range(6)], 1, ""),
    "davis_root_ids13.zip": ("car", 6, [*range(6)], 3, ""),
    "davis_root_ytvos.zip": ("car", 6, [*range(6)], 2, ""),
    "extra_mask.zip": ("bus", 6, [*range(6)], 1, "1 sequence was left out: car"),
    "stack_in_zip.zip": ("stack_in_zip", 6, [], 0, ""),
    "with_heic_gap.zip": ("with_heic_gap", 5, [], 0, "1 file was left out: 00003.heic."),
    "voc_cvat.zip": ("voc_cvat", 1, [0], 1, "1 file was left out: labelmap.txt."),
    "synology.zip": ("synology", 1, [], 0, ""),
    "i16_12bit.zip": ("i16_12bit", 1, [], 0, ""),
    "gap.zip": ("gap", 4, [], 0, ""),
}


@pytest.mark.parametrize("case", CASES)
def test_shared_inputs_come_in_as_they_should(bring: Bring, case: str) -> None:
    video = bring(shared(f"cases/{case}"))
    name, count, truth, objects, note = CASES[case]
    assert (video.state, video.error) == (VideoState.READY, "")
    assert (video.name, video.frame_count, video.truth_frames, video.truth_objects) == (name, count, truth, objects)
    assert note in video.note
    assert bool(video.note) == bool(note)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_a_zip_has_three_times_is_one_frame_the_last(bring: Bring, tmp_path: Path) -> None:
    files = [("0.jpg", numbered_picture(0, "JPEG")), *(("1.jpg", numbered_picture(i, "JPEG")) for i in (1, 2, 3))]
    assert stored_numbers(bring(write_zip(tmp_path / "upload.zip", files))) == [0, 3]
