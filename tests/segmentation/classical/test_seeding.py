"""Tests the likelihood of being part of the object, from which the segmentation of a drawn frame starts."""

from __future__ import annotations

import numpy as np
import pytest

from segmentation.classical import seeding
from segmentation.classical.interacted_frame import InteractedFrame, UndrawnFrame
from segmentation.classical.scaled_frames import ScaledFrames, Sizes
from segmentation.evaluation.stroke import first_strokes
from segmentation.frames import ArrayFrames
from segmentation.metrics import jaccard
from tests.segmentation.clips import make_clip


def test_a_third_of_the_undrawn_pixels_tells_objects_as_well_as_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    clip = make_clip(length=2, height=240, width=360, num_objects=2)
    sizes = Sizes.of(240, 360)
    frames, strokes = ScaledFrames(ArrayFrames(clip.frames), sizes), first_strokes(clip.truth[0], 2)
    ahead = UndrawnFrame.of(frames, 0)
    kept = ahead.picture.lifted_features.nbytes + ahead.picture.fine_features.nbytes
    assert kept <= UndrawnFrame.largest(sizes) < 1.2 * kept
    found = {}
    for sparse in (seeding.SPARSE, 1):
        monkeypatch.setattr(seeding, "SPARSE", sparse)
        drawn = InteractedFrame(frames, 0, [], strokes, None, seed=0, undrawn=ahead).labels()
        found[sparse] = np.mean(jaccard(clip.truth[0], drawn, 2))
    assert min(found.values()) > 0.9
    assert abs(found[3] - found[1]) < 0.02
