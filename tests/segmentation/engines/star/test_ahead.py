"""Tests that features are computed ahead in the order of the round, not too far ahead, and that errors arrive."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import pytest
import torch

from segmentation.engines.star.ahead import DEPTH, FeaturesAhead
from segmentation.engines.star.video import Video

STEPS = [(frame, frame - 1) for frame in range(1, 20)]


class RecordingVideo:
    """Stands for a video. It records which frames are computed, and fails at the frame `broken`."""

    def __init__(self, broken: int | None = None) -> None:
        self.computed: list[tuple[int, int]] = []
        self.broken = broken

    def compute(self, frame: int, neighbour: int) -> None:
        if frame == self.broken:
            raise OSError(f"frame {frame} cannot be read")
        self.computed.append((frame, neighbour))


def _ahead(video: RecordingVideo) -> FeaturesAhead:
    return FeaturesAhead(cast(Video, video), STEPS)


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_frames_are_computed_in_order_and_at_most_a_few_ahead() -> None:
    video: Any = RecordingVideo()
    with _ahead(video) as ahead:
        ahead.wait_for(1)
        ahead.wait_for(2)
    assert video.computed[:2] == STEPS[:2]
    assert video.computed == STEPS[: len(video.computed)]
    assert len(video.computed) <= 2 + DEPTH


def test_an_error_reaches_the_round_at_the_frame_that_needs_it() -> None:
    with _ahead(RecordingVideo(broken=3)) as ahead:
        ahead.wait_for(1)
        ahead.wait_for(2)
        with pytest.raises(OSError, match="frame 3"):
            ahead.wait_for(3)


def test_a_frame_that_is_in_no_step_is_not_waited_for() -> None:
    video = RecordingVideo()
    with _ahead(video) as ahead:
        ahead.wait_for(99)
    assert not video.computed


def test_with_one_thread_nothing_is_computed_ahead() -> None:
    torch.set_num_threads(1)
    video = RecordingVideo()
    with _ahead(video) as ahead:
        ahead.wait_for(1)
    assert not video.computed
