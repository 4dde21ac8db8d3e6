"""Tests the segmentation of the frame that was drawn on by GrabCut, where there is nothing to cut along."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from segmentation.classical.interacted_frame import InteractedFrame
from segmentation.classical.scaled_frames import ScaledFrames, Sizes
from segmentation.frames import ArrayFrames
from segmentation.types import Scribble


def test_a_frame_of_one_colour_is_not_given_to_grabcut(monkeypatch: pytest.MonkeyPatch) -> None:
    # GrabCut took 8 s of processor time for this frame.
    frames = ScaledFrames(ArrayFrames(np.full((2, 240, 426, 3), 90, np.uint8)), Sizes.of(240, 426))
    monkeypatch.setattr(cv2, "grabCut", None)
    stroke = Scribble(1, np.array([[0.4, 0.4], [0.6, 0.6]]))
    labels = InteractedFrame(frames, 0, [], [stroke], None, 0).labels()
    assert labels[120, 213] == 1
    assert labels[0, 0] == 0
