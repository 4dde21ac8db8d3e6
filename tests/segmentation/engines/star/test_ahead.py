"""Tests that frames are computed ahead in the order of the round, not too far ahead, and that errors arrive."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from segmentation.engines.star.ahead import DEPTH, StepsAhead

STEPS = [(frame, frame - 1) for frame in range(1, 20)]


class Recorder:
    """A function of a frame and its neighbour. It records its calls, and fails at the frame `broken`."""

    def __init__(self, broken: int | None = None) -> None:
        self.computed: list[tuple[int, int]] = []
        self.broken = broken

    def __call__(self, frame: int, neighbour: int) -> str:
        if frame == self.broken:
            raise OSError(f"frame {frame} cannot be read")
        self.computed.append((frame, neighbour))
        return f"of {frame}"


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_frames_are_computed_in_order_and_at_most_a_few_ahead() -> None:
    compute = Recorder()
    with StepsAhead(compute, STEPS) as ahead:
        assert [ahead.of(1), ahead.of(2)] == ["of 1", "of 2"]
    assert compute.computed[:2] == STEPS[:2]
    assert compute.computed == STEPS[: len(compute.computed)]
    assert len(compute.computed) <= 2 + DEPTH


def test_frames_that_are_not_asked_for_hold_up_no_later_ones() -> None:
    with StepsAhead(Recorder(), STEPS) as ahead:
        assert [ahead.of(frame) for frame in (1, 12, 19)] == ["of 1", "of 12", "of 19"]


def test_an_error_reaches_the_round_at_the_frame_that_needs_it() -> None:
    with StepsAhead(Recorder(broken=3), STEPS) as ahead:
        ahead.of(1)
        ahead.of(2)
        with pytest.raises(OSError, match="frame 3"):
            ahead.of(3)


def test_a_frame_that_is_in_no_step_has_no_result() -> None:
    compute = Recorder()
    with StepsAhead(compute, STEPS) as ahead, pytest.raises(KeyError):
        ahead.of(99)
    assert not compute.computed


def test_with_one_thread_nothing_is_computed_ahead() -> None:
    torch.set_num_threads(1)
    compute = Recorder()
    with StepsAhead(compute, STEPS) as ahead:
        assert ahead.of(2) == "of 2"
    assert compute.computed == [(2, 1)]
