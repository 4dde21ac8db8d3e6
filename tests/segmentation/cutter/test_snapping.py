"""Tests snapping, which corrects a mask by the colours of object and background: it removes leaks and fills holes."""

import numpy as np
from numpy.typing import NDArray

from segmentation.classical.scaled_frames import ScaledFrame, ScaledFrames, Sizes
from segmentation.cutter.snapping import snap_to_appearance
from segmentation.frames import ArrayFrames

HEIGHT, WIDTH = 120, 200


def scene() -> tuple[ScaledFrame, NDArray[np.bool_]]:
    """Return a frame with a red disk on grey, both with noise, and the mask of the disk."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    disk = (y - 60) ** 2 + (x - 90) ** 2 < 30**2
    frame = np.where(disk[..., None], (180, 50, 40), (90, 95, 100)).astype(np.int16)
    frame += np.random.default_rng(0).integers(-8, 9, frame.shape, dtype=np.int16)
    return ScaledFrames(ArrayFrames(frame.astype(np.uint8)[None]), Sizes.of(HEIGHT, WIDTH))[0], disk


def overlap(probability: NDArray[np.float32], disk: NDArray[np.bool_]) -> float:
    found = probability > 0.5
    return float((found & disk).sum() / (found | disk).sum())


def test_a_flood_recedes_and_a_hole_is_filled() -> None:
    scaled, disk = scene()
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    wrong = np.where(disk, 0.85, 0.02).astype(np.float32)
    wrong[(y > 60) & (x > 90) & (y < 95) & (x < 130) & ~disk] = 0.7
    wrong[50:58, 70:78] = 0.35
    before = wrong.copy()
    found = snap_to_appearance(scaled, wrong)
    assert overlap(wrong, disk) < 0.85
    assert overlap(found, disk) > 0.97
    np.testing.assert_array_equal(wrong, before)


def test_nothing_found_stays_nothing() -> None:
    scaled, _ = scene()
    nothing = np.full((HEIGHT, WIDTH), 0.01, np.float32)
    assert snap_to_appearance(scaled, nothing) is nothing


def test_where_the_network_is_sure_its_word_stands() -> None:
    scaled, disk = scene()
    sure = np.where(disk, 0.999, 0.001).astype(np.float32)
    sure[80:90, 140:150] = 0.999  # a false region in the background
    sure[55:65, 85:95] = 0.001
    found = snap_to_appearance(scaled, sure)
    assert (found[82:88, 142:148] > 0.5).all()
    assert (found[57:63, 87:93] < 0.5).all()
