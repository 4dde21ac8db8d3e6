"""Tests that small example files of many kinds, which are not in the repository, are read rightly by imports and by the
package `segmentation`.

The page and `manage.py annotate` read them through `open_source`. Zips are tested as whole imports in
test_sequences.py, and data sets for the evaluation in test_davis_folder.py.
"""

from __future__ import annotations

import numpy as np
import pytest

import segmentation as seg
from tests.segmentation.shared_data import shared
from tests.webapp.videos.test_sequences import CASES
from webapp.videos.sources import open_source

# The number of frames, their height and width, the frame rate, the width of a pixel, and a part of the note.
VIDEOS = {
    "zs_mjpeg.mov": (2, (32, 32), 10, 1, ""),
    "zc_hevc5.mp4": (4, (48, 64), 10, 1, ""),
    "track_disabled.mp4": (5, (240, 320), 10, 1, ""),
    "sar_64_45.mp4": (2, (72, 96), 10, 64 / 45, "not square"),
    "pq_ramp.mp4": (2, (180, 320), 10, 1, "HDR (PQ)"),
    "slow.mp4": (5, (64, 64), 1 / 20, 1, ""),
    "clip.ogv": (25, (240, 320), 25, 1, ""),
}
ELSEWHERE = {"README.md", "flash_gone.zip", "flash_scribble.json"}  # The flash is a case for engines.


def test_every_shared_input_is_in_a_table() -> None:
    assert {path.name for path in shared("cases").iterdir()} == {*VIDEOS, *CASES, *ELSEWHERE}


@pytest.mark.parametrize("case", VIDEOS)
def test_a_video_file_is_read_rightly_by_the_import_and_by_the_library(case: str) -> None:
    count, size, fps, aspect, note = VIDEOS[case]
    path = shared(f"cases/{case}")
    with open_source(path) as clips:
        (clip,) = clips
        pictures = [np.asarray(frame.picture) for frame in clip.frames()]
        assert (len(pictures), pictures[0].shape[:2]) == (count, size)
        assert clip.fps == pytest.approx(fps)
        assert clip.pixel_aspect == pytest.approx(aspect)
        assert note in " ".join(clip.notes)
        assert bool(clip.notes) == bool(note)
    video = seg.open_video(path)
    assert len(video) == count
    assert video.fps == pytest.approx(fps, rel=0.01)
    for picture, frame in zip(pictures, (video[index] for index in range(count)), strict=True):
        assert np.abs(picture.astype(int) - frame).mean() < 2
