"""Tests that specks (small separate parts of a mask) are removed unless a person drew them."""

import numpy as np
from numpy.typing import NDArray

from segmentation.classical.specks import GONE, specks, without_specks
from segmentation.frames import ArrayFrames
from segmentation.registry import create_engine_session
from segmentation.types import Interaction, Scribble


def in_parts() -> NDArray[np.bool_]:
    mask = np.zeros((40, 60), bool)
    mask[5:30, 5:30] = True
    mask[35:37, 40:43] = True  # a speck: 6 of 647 pixels
    mask[5:9, 50:54] = True  # 16 pixels, too many for a speck
    return mask


def test_a_speck_is_a_small_part_that_nobody_meant() -> None:
    mask = in_parts()
    np.testing.assert_array_equal(np.argwhere(specks(mask)).min(axis=0), (35, 40))
    assert specks(mask).sum() == 6
    meant = np.zeros_like(mask)
    meant[36, 42] = True
    assert not specks(mask, meant).any()
    assert not specks(np.zeros_like(mask)).any()


def test_a_speck_becomes_faint_and_all_else_stays() -> None:
    mask = in_parts()
    probability = np.where(mask, 0.9, 0.2).astype(np.float32)
    found = without_specks(probability)
    assert (found[specks(mask)] == np.float32(GONE)).all()
    np.testing.assert_array_equal(found[~specks(mask)], probability[~specks(mask)])
    assert without_specks(found) is found


def twins() -> NDArray[np.uint8]:
    """Return frames with a red block that moves to the right, and a small red block that moves with it."""
    random = np.random.default_rng(0)
    video = np.repeat(random.integers(90, 120, (1, 96, 160, 3)).astype(np.uint8), 4, axis=0)
    for index, frame in enumerate(video):
        for y, x, side in ((28, 20, 40), (40, 90, 5)):
            frame[y : y + side, x + 2 * index : x + side + 2 * index] = (200, 30, 30)
    return video


def line(object_id: int, *points: tuple[float, float]) -> Scribble:
    return Scribble(object_id, np.array(points) / (159, 95))


BLOCK, SMALL = line(1, (28, 48), (52, 48)), line(1, (91, 42), (93, 42))


def test_what_looks_alike_but_is_small_and_apart_is_not_taken_for_the_object() -> None:
    session = create_engine_session("flow", ArrayFrames(twins()), 1)
    masks = {update.frame: update.labels for update in session.run_round(Interaction(0, (BLOCK,)))}
    assert len(masks) == 4
    assert all(mask[40, 30 + 2 * index] for index, mask in masks.items())
    assert not any(mask[:, 80:].any() for mask in masks.values())


def test_a_small_part_that_was_drawn_on_goes_along() -> None:
    session = create_engine_session("flow", ArrayFrames(twins()), 1)
    masks = {update.frame: update.labels for update in session.run_round(Interaction(0, (BLOCK, SMALL)))}
    assert len(masks) == 4
    for index, mask in masks.items():
        assert mask[42, 92 + 2 * index], index
