"""Motion that is kept between rounds."""

import numpy as np
import pytest

from segmentation.classical.flows import Flows
from segmentation.classical.motion import FlowField
from segmentation.classical.picture import Pictures, Sizes
from segmentation.frames import ArrayFrames
from tests.segmentation.clips import make_clip

SIZE = (120, 200)


@pytest.fixture
def pictures() -> Pictures:
    frame = make_clip(length=1, height=SIZE[0], width=SIZE[1], num_objects=3).frames[0]
    return Pictures(ArrayFrames(np.stack([np.roll(frame, 6 * t, axis=1) for t in range(4)])), Sizes.of(*SIZE))


def test_it_is_the_motion_between_the_frames(pictures: Pictures) -> None:
    kept = Flows(pictures, 1 << 20).between(2, 1)
    found = FlowField().between(pictures[2].grey, pictures[1].grey)
    assert np.abs(kept.back - found.back).mean() < 0.2
    assert np.median(kept.back[30:90, 40:160, 0]) == pytest.approx(-6, abs=0.3)


def test_what_is_kept_is_what_was_found_and_serves_both_directions(
    pictures: Pictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    flows = Flows(pictures, 1 << 20)
    forwards, backwards = flows.between(2, 1), flows.between(1, 2)
    monkeypatch.setattr(FlowField, "flow", None)  # nothing is computed again
    for first, again in ((forwards, flows.between(2, 1)), (backwards, flows.between(1, 2))):
        np.testing.assert_array_equal(first.back, again.back)
        np.testing.assert_array_equal(first.trust, again.trust)


def test_beyond_its_budget_it_computes_anew_and_finds_the_same(pictures: Pictures) -> None:
    one = SIZE[0] // 2 * (SIZE[1] // 2) * 2 * 2
    roomy, tight, none = (Flows(pictures, budget) for budget in (1 << 20, one, 0))
    for frame, neighbour in ((1, 0), (2, 1), (3, 2), (1, 0)):
        expected = roomy.between(frame, neighbour)
        for flows in (tight, none):
            np.testing.assert_array_equal(flows.between(frame, neighbour).back, expected.back)
    assert (tight.used, none.used) == (one, 0)


def test_the_smallest_videos_stand_still() -> None:
    tiny = Pictures(ArrayFrames(np.zeros((2, 1, 9, 3), np.uint8)), Sizes.of(1, 9))
    motion = Flows(tiny, 1 << 20).between(1, 0)
    assert motion.back.shape == (1, 9, 2)
    assert not motion.back.any()
