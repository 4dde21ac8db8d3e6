"""Tests reading frames of video files by index, in any order, with little memory."""

from __future__ import annotations

import random
from fractions import Fraction
from pathlib import Path

import pytest

from segmentation.video_file import VideoFileFrames
from tests.webapp.videos.clips import read_number, write_clip, write_gif

KINDS = {
    "mp4 with B-frames": ("clip.mp4", {"options": {"bf": "3", "g": "12"}}),
    "mkv": ("clip.mkv", {}),
    "webm": ("clip.webm", {"codec": "libvpx-vp9"}),
    "avi": ("clip.avi", {"codec": "mpeg4"}),
    "avi with B-frames": ("clip.avi", {"codec": "mpeg4", "options": {"bf": "2"}}),
    "late start and uneven times": ("clip.mp4", {"times": [5000 + 40 * i + 7 * (i % 3) for i in range(40)]}),
    "turned": ("clip.mp4", {"quarter_turns": 1}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_frame_is_found_by_its_index_in_any_order(tmp_path: Path, kind: str) -> None:
    name, options = KINDS[kind]
    frames = VideoFileFrames(write_clip(tmp_path / name, 40, **options), cache_bytes=0)  # type: ignore[arg-type]
    assert len(frames) == 40
    assert (frames.height, frames.width) == (160, 240)
    order = [*range(40), *random.Random(1).sample(range(40), 20), 39, 0]
    assert [read_number(frames[index]) for index in order] == order


def test_an_animation_is_a_video(tmp_path: Path) -> None:
    frames = VideoFileFrames(write_gif(tmp_path / "clip.gif", 12))
    assert [read_number(frames[index]) for index in (11, 3, 4, 0)] == [11, 3, 4, 0]


def test_memory_is_bounded_and_frames_are_kept_within_it(tmp_path: Path) -> None:
    frame_bytes = 240 * 160 * 3
    frames = VideoFileFrames(write_clip(tmp_path / "clip.mp4", 40), cache_bytes=3 * frame_bytes)
    for index in range(40):
        frames[index]
    assert frames._cache.used <= 3 * frame_bytes
    assert frames[39] is frames[39]
    with pytest.raises(ValueError, match="read-only"):
        frames[39][0, 0] = 1


def test_the_rate_is_that_of_the_file(tmp_path: Path) -> None:
    assert VideoFileFrames(write_clip(tmp_path / "clip.mp4", 5, rate=Fraction(10))).fps == pytest.approx(10)


def test_what_is_no_video_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "notes.mp4").write_text("#EXTM3U\n")
    with pytest.raises(ValueError, match=r"^source: notes\.mp4 cannot be read as a video"):
        VideoFileFrames(tmp_path / "notes.mp4")
    clip = write_clip(tmp_path / "clip.mkv", 40)
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(clip.read_bytes()[: clip.stat().st_size // 2])
    frames = VideoFileFrames(cut)
    assert 0 < len(frames) < 40
    assert read_number(frames[len(frames) // 2]) == len(frames) // 2
    with pytest.raises(IndexError, match="is outside 0"):
        frames[40]
