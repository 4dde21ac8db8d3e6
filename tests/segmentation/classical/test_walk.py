"""What a walk may do to masks of earlier rounds."""

import numpy as np

from segmentation.frames import ArrayFrames
from segmentation.registry import open_session
from segmentation.types import Interaction, Scribble

HIDDEN, LAST = 6, 7


def line(y: int, x: int) -> Scribble:
    return Scribble(1, np.array([(x - 10, y), (x + 10, y)]) / (159, 95))


def test_a_walk_that_loses_its_object_takes_no_mask_away_that_was_found_before() -> None:
    random = np.random.default_rng(0)
    video = np.repeat(random.integers(90, 120, (1, 96, 160, 3)).astype(np.uint8), LAST + 1, axis=0)
    for index, frame in enumerate(video):
        if index != HIDDEN:
            frame[30:60, 30 + 2 * index : 70 + 2 * index] = (200, 30, 30)
    session = open_session("flow", ArrayFrames(video), 1)
    first = {update.frame: update.labels for update in session.run_round(Interaction(0, (line(45, 50),)))}
    assert first[HIDDEN - 1].any()
    assert not first[HIDDEN].any()
    assert not first[LAST].any()
    again = {update.frame: update.labels for update in session.run_round(Interaction(LAST, (line(45, 64),)))}
    assert again[LAST].sum() > 900
    for index in range(HIDDEN):  # what is behind the frame in which nothing is found
        np.testing.assert_array_equal(again.get(index, first[index]), first[index])
