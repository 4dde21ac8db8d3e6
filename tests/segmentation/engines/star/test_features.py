"""Tests the sizes at which STAR computes, its features of frames, and its optical flow between neighbouring frames."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from segmentation.engines.star.features import flow_between, raw_features, resized, working_size
from segmentation.trunk import load_trunk


@pytest.mark.parametrize(
    ("size", "wanted"),
    [
        ((480, 854), (288, 512)),
        ((1080, 1920), (288, 512)),
        ((854, 480), (512, 288)),
        ((240, 432), (288, 512)),
        ((1, 1), (32, 32)),
    ],
)
def test_frames_are_seen_at_288_lines(size: tuple[int, int], wanted: tuple[int, int]) -> None:
    assert working_size(*size) == wanted


def test_a_panorama_has_fewer_lines_and_a_smaller_side_may_be_asked_for() -> None:
    assert max(working_size(500, 4000)) <= 864
    assert working_size(480, 854, max_side=256) == (128, 256)


def test_features_have_their_strides_and_unit_cells() -> None:
    frames = np.random.default_rng(0).integers(0, 255, (2, 64, 96, 3), np.uint8)
    raw = raw_features(load_trunk(), frames)
    assert [tuple(part.shape) for part in raw] == [
        (2, 24, 16, 24),
        (2, 40, 8, 12),
        (2, 112, 4, 6),
        (2, 320, 2, 3),
        (2, 3, 32, 48),
    ]
    torch.testing.assert_close(raw.f16.norm(dim=1), torch.ones(2, 4, 6))


def test_flow_follows_a_shift_and_is_not_trusted_into_a_black_frame() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (18, 32), np.uint8)
    frame = np.asarray(cv2.resize(noise, (256, 144), interpolation=cv2.INTER_CUBIC), np.uint8)
    moved = np.roll(frame, 8, axis=1)
    back, forth = flow_between(moved, frame)
    inner = slice(8, -8)
    assert abs(float(back.back[0, 0, inner, inner].median()) + 2) < 0.2  # the motion of eight pixels is two cells
    assert abs(float(forth.back[0, 0, inner, inner].median()) - 2) < 0.2
    assert float(back.trust[0, 0, inner, inner].median()) > 0.7
    lost, _ = flow_between(np.zeros_like(frame), frame)
    assert float(lost.trust.median()) < 0.05


def test_a_frame_at_its_working_size_is_left_alone() -> None:
    frame = np.zeros((64, 96, 3), np.uint8)
    assert resized(frame, (64, 96)) is frame
    assert resized(frame, (32, 64)).shape == (32, 64, 3)
