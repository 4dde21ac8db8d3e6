"""Tests encoding probability maps as bytes of a limited size, and decoding them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from segmentation.session.probability_maps import LIMIT, decode, encode, from_labels, with_objects


def smooth(objects: int, height: int, width: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Return probability maps [objects, height, width] of discs with soft edges, similar to those of networks."""
    y, x = np.mgrid[:height, :width]
    centres = [(height * (i + 1) / (objects + 1), width * (i + 1) / (objects + 1)) for i in range(objects)]
    distance = [np.hypot(y - cy, x - cx) - height / 6 for cy, cx in centres]
    return (1 / (1 + np.exp(np.stack(distance) / 2))).astype(np.float32)


def test_a_frame_of_480_lines_keeps_256_steps() -> None:
    masks = smooth(1, 480, 854)
    engine_state = encode(masks)
    assert len(engine_state) <= LIMIT
    assert np.abs(decode(engine_state, 480, 854) - masks).max() <= 0.5 / 255 + 1e-6


@settings(max_examples=10, deadline=None)
@example(24, 28, 172, 0)
@given(st.integers(1, 40), st.integers(1, 300), st.integers(1, 300), st.integers(0, 5))
def test_any_masks_fit_and_keep_their_shape(objects: int, height: int, width: int, seed: int) -> None:
    masks = np.random.default_rng(seed).random((objects, height, width), dtype=np.float32)
    engine_state = encode(masks)
    assert len(engine_state) <= LIMIT
    assert decode(engine_state, height, width).shape == masks.shape


def test_many_objects_in_a_large_frame_become_coarser_not_wrong() -> None:
    masks = smooth(60, 480, 854)
    found = decode(encode(masks), 480, 854)
    assert ((found > 0.5) == (masks > 0.5)).mean() > 0.98


def test_what_was_read_and_noted_again_is_the_same() -> None:
    masks = smooth(2, 120, 160)
    once = decode(encode(masks), 120, 160)
    np.testing.assert_array_equal(decode(encode(once), 120, 160), once)


@pytest.mark.parametrize("engine_state", [b"", b"short", b"\x09" + bytes(20), encode(smooth(1, 20, 20))[:-5]])
def test_it_refuses_bytes_that_it_did_not_write(engine_state: bytes) -> None:
    with pytest.raises(ValueError, match="engine state"):
        decode(engine_state, 20, 20)


def test_labels_made_smaller_hold_shares() -> None:
    labels = np.zeros((4, 4), np.uint8)
    labels[:3, :2] = 2
    wanted = np.array([[[0, 0], [0, 0]], [[1, 0], [0.5, 0]]], np.float32)
    np.testing.assert_allclose(from_labels(labels, 2, 2, 2), wanted)
    np.testing.assert_array_equal(from_labels(labels, 2, 4, 4)[1], labels == 2)


def test_only_objects_that_a_mask_shows_are_resized(monkeypatch: pytest.MonkeyPatch) -> None:
    labels = np.zeros((6, 6), np.uint8)
    labels[2:, 3:] = 3
    labels[0, 0] = 9
    resized = []

    def counting(plane: np.ndarray[tuple[int, ...], np.dtype[np.float32]], *args: Any, **options: Any) -> Any:
        resized.append(plane)
        return plane[::2, ::2]

    monkeypatch.setattr("segmentation.session.probability_maps.cv2.resize", counting)
    maps = from_labels(labels, 5, 3, 3)
    assert len(resized) == 1
    assert maps.shape == (5, 3, 3)
    assert np.flatnonzero(maps.any(axis=(1, 2))).tolist() == [2]


def test_objects_are_added_empty() -> None:
    masks = with_objects(np.ones((1, 2, 2), np.float32), 3)
    assert masks.sum(axis=(1, 2)).tolist() == [4, 0, 0]
