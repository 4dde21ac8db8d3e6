"""Tests the propagation by RGMP, ST-RNN's refinement network: its order, and how two propagations are averaged."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from segmentation.engines.strnn.carrying import TOGETHER, Carried, Carrier
from segmentation.types import LabelMap

EMPTY, FULL = np.zeros((8, 8), np.uint8), np.ones((8, 8), np.uint8)


class Copies:
    """A replacement for the network RGMP that gives each frame the unchanged mask of its neighbour.

    `steps` records (annotated frame, computed frame) for each call.
    """

    def __init__(self) -> None:
        self.steps: list[tuple[int, int]] = []

    def reference(self, image: Tensor, _masks: Tensor) -> Tensor:
        return image[:, :1, 0, 0]

    def __call__(self, image: Tensor, masks: Tensor, references: Tensor) -> Tensor:
        self.steps.append((int(references[0, 0]), int(image[0, 0, 0, 0])))
        return masks


def shown_of(carrier: Carrier, start: int, count: int) -> list[Carried]:
    return [found for found in carrier.distributions(start, count) if found is not None]


def carry(anchors: dict[int, LabelMap], start: int, count: int) -> tuple[list[tuple[int, int]], dict[int, float]]:
    """Propagate the masks of the annotated frames `anchors`, outward from `start`, in a video of `count` frames.

    Returns the steps (annotated frame, computed frame) in their order, and the mean probability of the object by frame,
    in the order in which the frames were yielded.
    """
    copies = Copies()

    def picture(frame: int) -> Tensor:
        return torch.full((1, 3, 8, 8), float(frame))

    carrier = Carrier(copies, picture, anchors, anchors.__getitem__, [0, 1])  # type: ignore[arg-type]
    found = {frame: float(p[1].mean()) for frame, p, _ in shown_of(carrier, start, count)}
    return copies.steps, found


def test_between_two_anchors_the_nearer_one_counts_more() -> None:
    _, found = carry({2: FULL, 7: EMPTY}, start=2, count=8)
    assert [found[frame] for frame in (3, 4, 5, 6)] == pytest.approx([0.8, 0.6, 0.4, 0.2], abs=0.01)
    assert found[0] == found[1] == pytest.approx(1, abs=1e-6)


def test_both_sides_come_in_turns_outward() -> None:
    _, found = carry({10: FULL}, start=10, count=16)
    assert list(found) == [11, 9, 12, 8, 13, 7, 14, 6, 15, 5, 4, 3, 2, 1, 0]


def test_a_side_that_can_show_does_not_wait_for_one_that_cannot() -> None:
    _, found = carry({2: FULL, 7: FULL}, start=7, count=14)
    assert list(found) == [8, 9, 10, 11, 12, 6, 13, 5, 4, 3, 1, 0]  # frames 3 to 6 wait for steps from frame 2


def test_a_step_without_a_mask_yields_none() -> None:
    carrier = Carrier(Copies(), lambda _: torch.zeros(1, 3, 8, 8), (0, 4), lambda _: FULL, [0, 1])  # type: ignore[arg-type]
    found = [distribution and distribution[0] for distribution in carrier.distributions(4, 5)]
    assert found == [None, None, None, 3, 2, 1]


def test_a_long_gap_is_shown_from_the_side_of_the_interaction() -> None:
    last = 2 * TOGETHER
    for start, first, then in ((0, 1, last - 1), (last, last - 1, 1)):
        _, found = carry({0: FULL, last: FULL}, start, last + 1)
        assert (next(iter(found)), list(found).index(then)) == (first, TOGETHER if start == 0 else TOGETHER - 1)


def test_it_says_which_ids_the_anchors_of_a_frame_show() -> None:
    picture, anchors = torch.zeros(1, 3, 8, 8), {1: FULL, 3: EMPTY, 4: EMPTY}
    carrier = Carrier(Copies(), lambda _: picture, anchors, anchors.__getitem__, [0, 1])  # type: ignore[arg-type]
    shown = {frame: ids for frame, _, ids in shown_of(carrier, 1, 6)}
    assert shown == {0: {1}, 2: {0, 1}, 5: {0}}


def test_every_other_frame_is_carried_once() -> None:
    for anchors in ((0,), (5,), (9,), (0, 9), (3, 4, 8)):
        _, found = carry(dict.fromkeys(anchors, FULL), start=anchors[0], count=10)
        assert sorted((*found, *anchors)) == list(range(10))


def test_far_anchors_share_the_frames_between_them() -> None:
    steps, found = carry({0: FULL, TOGETHER + 1: EMPTY}, start=0, count=TOGETHER + 2)
    assert len(steps) == len(found) == TOGETHER  # no frame is computed twice
    assert all(abs(frame - anchor) <= TOGETHER // 2 + 1 for anchor, frame in steps)
    assert found[1] == pytest.approx(1, abs=1e-6)
    assert found[TOGETHER] == pytest.approx(0, abs=1e-6)
