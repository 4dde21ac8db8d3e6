"""Tests opening a video from a video file, a folder of images, an image file of several pages, an array, and DAVIS."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

import segmentation as seg
from segmentation.formats.davis_folder import DavisPaths, write_masks
from tests.segmentation.clips import make_clip
from tests.webapp.videos.clips import read_number, write_clip

CLIP = make_clip(length=3, num_objects=2)


def davis(root: Path, *names: str) -> Path:
    for name in names:
        paths = DavisPaths(name, 480)
        for index, frame in enumerate(CLIP.frames):
            file = root / paths.frame(index, ".png")
            file.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(file), frame[..., ::-1])
        write_masks(root, paths, enumerate(CLIP.truth))
    return root


def test_an_array_is_a_video() -> None:
    video = seg.open_video(CLIP.frames)
    assert (len(video), video.height, video.width, video.has_truth) == (3, 48, 64, False)
    assert np.array_equal(video[2], CLIP.frames[2])
    assert seg.open_video(video) is video
    assert repr(video) == "<Video 'video': 3 frames of 64x48>"


def test_a_file_and_a_folder_are_videos(tmp_path: Path) -> None:
    file = seg.open_video(str(write_clip(tmp_path / "reef.mp4", 12)))
    assert (file.name, len(file), file.fps) == ("reef", 12, 25)
    assert read_number(file[7]) == 7
    file.close()
    (tmp_path / "take").mkdir()
    for index in (10, 9, 1):
        Image.new("RGB", (8, 6), (index, 0, 0)).save(tmp_path / f"take/{index}.png")
    folder = seg.open_video(tmp_path / "take")
    assert (folder.name, [int(folder[i][0, 0, 0]) for i in range(3)]) == ("take", [1, 9, 10])
    assert [path.name for path in folder.files] == ["1.png", "9.png", "10.png"]


def test_pages_are_frames(tmp_path: Path) -> None:
    pages = [Image.fromarray(frame) for frame in CLIP.frames]
    pages[0].save(tmp_path / "stack.tif", save_all=True, append_images=pages[1:])
    assert np.array_equal(seg.open_video(tmp_path / "stack.tif")[2], CLIP.frames[2])


def test_a_davis_sequence_brings_its_masks(tmp_path: Path) -> None:
    root = davis(tmp_path / "one", "dog")
    for path in (root, root / "JPEGImages/480p/dog"):
        video = seg.open_video(path)
        assert (video.name, len(video), video.has_truth) == ("dog", 3, True)
        assert np.array_equal(video.truth(1), CLIP.truth[1])  # type: ignore[arg-type]
    several = davis(tmp_path / "two", "dog", "cat")
    assert seg.open_video(several / "JPEGImages/480p/cat").name == "cat"
    with pytest.raises(ValueError, match=r"source: .* holds 2 sequences \(cat, dog\); open one of them, such as .*cat"):
        seg.open_video(several)


@pytest.mark.filterwarnings("error")
def test_pictures_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    folder = tmp_path / "take"
    folder.mkdir()
    for index in range(2):
        cv2.imwrite(str(folder / f"{index}.png"), CLIP.frames[index])
    (folder / "notes.txt").write_text("Shot on a phone.")
    assert len(seg.open_video(folder)) == 2
    (folder / "IMG_10.HEIC").write_bytes(b"x")
    (folder / "IMG_9.heic").write_bytes(b"x")
    with pytest.warns(UserWarning, match=r"take has pictures .* left out: IMG_9\.heic, IMG_10\.HEIC\.") as warned:
        assert len(seg.open_video(folder)) == 2
    assert warned[0].filename == __file__
    sequence = davis(tmp_path / "data", "car") / "JPEGImages/480p/car"
    (sequence / "00003.avif").write_bytes(b"x")
    with pytest.warns(UserWarning, match="left out: 00003.avif"):
        assert len(seg.open_video(tmp_path / "data")) == 3
    for index in range(2):
        (folder / f"{index}.png").unlink()
    with pytest.raises(ValueError, match=r"no images in .* \(IMG_9.heic, IMG_10.HEIC\): save them as JPEG or PNG"):
        seg.open_video(folder)


def test_a_zip_is_refused_though_ffmpeg_finds_a_picture_in_it(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "car.zip", "w") as archive:
        for index in range(3):
            archive.writestr(f"{index}.jpg", cv2.imencode(".jpg", np.full((48, 64, 3), 90, np.uint8))[1].tobytes())
    with pytest.raises(ValueError, match=r"source: car\.zip is a zip; unpack it"):
        seg.open_video(tmp_path / "car.zip")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("nowhere.mp4", r"source: nowhere\.mp4 does not exist"),
        (CLIP.frames.astype(np.float32), r"frames: expected uint8 \[T, H, W, 3\], got float32"),
        (CLIP.frames[0], r"frames: expected uint8 \[T, H, W, 3\]"),
        (list(CLIP.frames), r"source: expected a path, an array .* got list; .* numpy\.stack"),
        (None, "source: expected a path"),
    ],
)
def test_what_is_no_video_is_a_sentence_that_names_the_argument(source: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        seg.open_video(source)


def test_an_empty_folder_and_a_single_picture_are_no_videos(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="source: no images in"):
        seg.open_video(tmp_path)
    Image.new("RGB", (8, 6)).save(tmp_path / "one.png")
    with pytest.raises(ValueError, match=r"source: one\.png is a single picture; put the pictures"):
        seg.open_video(tmp_path / "one.png")
    with pytest.raises(IndexError, match=r"frame 9 is outside 0\.\.2"):
        seg.open_video(CLIP.frames).truth(9)
