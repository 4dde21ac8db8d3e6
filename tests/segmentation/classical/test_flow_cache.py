"""Tests the cache of optical flow, which is kept from round to round."""

import numpy as np
import pytest

from segmentation.classical.flow_cache import FlowCache
from segmentation.classical.motion import FlowEstimator
from segmentation.classical.scaled_frames import ScaledFrames, Sizes
from segmentation.frames import ArrayFrames
from tests.segmentation.clips import make_clip

SIZE = (120, 200)


@pytest.fixture
def scaled_frames() -> ScaledFrames:
    frame = make_clip(length=1, height=SIZE[0], width=SIZE[1], num_objects=3).frames[0]
    return ScaledFrames(ArrayFrames(np.stack([np.roll(frame, 6 * t, axis=1) for t in range(4)])), Sizes.of(*SIZE))


def test_it_is_the_motion_between_the_frames(scaled_frames: ScaledFrames) -> None:
    kept = FlowCache(scaled_frames, 1 << 20).between(2, 1)
    found = FlowEstimator().between(scaled_frames[2].grey, scaled_frames[1].grey)
    assert np.abs(kept.back - found.back).mean() < 0.2
    assert np.median(kept.back[30:90, 40:160, 0]) == pytest.approx(-6, abs=0.3)


def test_what_is_kept_is_what_was_found_and_serves_both_directions(
    scaled_frames: ScaledFrames, monkeypatch: pytest.MonkeyPatch
) -> None:
    flows = FlowCache(scaled_frames, 1 << 20)
    forwards, backwards = flows.between(2, 1), flows.between(1, 2)
    monkeypatch.setattr(FlowEstimator, "flow", None)  # raises if the flow is computed again
    for first, again in ((forwards, flows.between(2, 1)), (backwards, flows.between(1, 2))):
        np.testing.assert_array_equal(first.back, again.back)
        np.testing.assert_array_equal(first.trust, again.trust)


def test_beyond_its_budget_it_computes_anew_and_finds_the_same(scaled_frames: ScaledFrames) -> None:
    one = SIZE[0] // 2 * (SIZE[1] // 2) * 2 * 2
    roomy, tight, none = (FlowCache(scaled_frames, budget) for budget in (1 << 20, one, 0))
    for frame, neighbour in ((1, 0), (2, 1), (3, 2), (1, 0)):
        expected = roomy.between(frame, neighbour)
        for flows in (tight, none):
            np.testing.assert_array_equal(flows.between(frame, neighbour).back, expected.back)
    assert (tight.used, none.used) == (one, 0)


def test_the_smallest_videos_stand_still() -> None:
    tiny = ScaledFrames(ArrayFrames(np.zeros((2, 1, 9, 3), np.uint8)), Sizes.of(1, 9))
    motion = FlowCache(tiny, 1 << 20).between(1, 0)
    assert motion.back.shape == (1, 9, 2)
    assert not motion.back.any()
