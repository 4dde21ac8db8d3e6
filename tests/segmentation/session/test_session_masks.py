"""Tests how an engine's mask becomes the mask of a session: which objects are lost, and how high the confidence of a
lost object may be.
"""

from __future__ import annotations

import numpy as np

from segmentation.session.session_masks import SessionMasks
from segmentation.types import MaskUpdate


def test_an_engine_cannot_be_sure_of_an_object_of_which_nothing_is_left_unless_a_person_marked_it_as_absent() -> None:
    masks = SessionMasks(20, 30)
    drawn = np.zeros((20, 30), np.uint8)
    drawn[2:12, 2:12], drawn[2:12, 15:25] = 1, 2
    masks.measure([1, 2], drawn)
    black = MaskUpdate(3, np.zeros((20, 30), np.uint8), (0.95, 0.3, 0.9))
    settled = masks.settled(black)
    assert settled.lost == (1, 2)  # object 3 has not been drawn anywhere yet
    assert settled.confidence == (0.5, 0.3, 0.9)
    masks.set_absent(1, (3, 3), True, (5, 3))
    settled = masks.settled(black)
    assert settled.lost == (2,)
    assert settled.confidence == (1.0, 0.3, 0.9)
    assert masks.settled(MaskUpdate(3, drawn, (0.95, 0.3, 0.9))).lost == ()
    few = drawn * (np.arange(30) >= 24).astype(np.uint8)  # 10 of the 100 pixels of object 2
    assert masks.settled(MaskUpdate(4, few, (0.95, 0.95, 0.9))).confidence == (0.5, 0.95, 0.9)


def test_an_object_that_only_locked_frames_show_is_lost_in_a_black_frame_whatever_the_order_of_locks() -> None:
    large, small = np.zeros((20, 30), np.uint8), np.zeros((20, 30), np.uint8)
    large[2:12, 2:12], small[2:4, 2:4] = 1, 1
    few = large * (np.arange(30) < 3).astype(np.uint8)  # 10 of the 100 pixels
    for first, second in ((large, small), (small, large)):
        masks = SessionMasks(20, 30)
        masks.lock(0, first)
        masks.lock(1, second)
        assert masks.settled(MaskUpdate(3, few, (0.95,))).lost == ()
        black = masks.settled(MaskUpdate(3, np.zeros((20, 30), np.uint8), (0.95,)))
        assert (black.lost, black.confidence) == ((1,), (0.5,))
    masks.unlock(0)
    masks.unlock(1)
    assert masks.settled(MaskUpdate(3, np.zeros((20, 30), np.uint8), (0.95,))).lost == ()
