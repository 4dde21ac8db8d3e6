"""Tests the propagation of a round: what it leaves of earlier masks, and how it reads frames and stored masks."""

import threading
from collections.abc import Iterator, Mapping

import numpy as np
import pytest

from segmentation.evaluation.stroke import first_strokes
from segmentation.frames import ArrayFrames
from segmentation.registry import create_engine_session
from segmentation.types import Image, Interaction, LabelMap, MaskUpdate, PastRound, Scribble
from tests.segmentation.clips import make_clip
from tests.segmentation.engine_conformance import past_round

HIDDEN, LAST = 6, 7


def line(y: int, x: int) -> Scribble:
    return Scribble(1, np.array([(x - 10, y), (x + 10, y)]) / (159, 95))


def test_a_walk_that_loses_its_object_takes_no_mask_away_that_was_found_before() -> None:
    random = np.random.default_rng(0)
    video = np.repeat(random.integers(90, 120, (1, 96, 160, 3)).astype(np.uint8), LAST + 1, axis=0)
    for index, frame in enumerate(video):
        if index != HIDDEN:
            frame[30:60, 30 + 2 * index : 70 + 2 * index] = (200, 30, 30)
    session = create_engine_session("flow", ArrayFrames(video), 1)
    first = {update.frame: update.labels for update in session.run_round(Interaction(0, (line(45, 50),)))}
    assert first[HIDDEN - 1].any()
    assert not first[HIDDEN].any()
    assert not first[LAST].any()
    again = {update.frame: update.labels for update in session.run_round(Interaction(LAST, (line(45, 64),)))}
    assert again[LAST].sum() > 900
    for index in range(HIDDEN):  # Between these frames and the drawn one lies the frame without the object.
        np.testing.assert_array_equal(again.get(index, first[index]), first[index])


def test_where_much_was_wrong_little_of_what_stood_is_kept_on_the_way_to_an_older_annotation() -> None:
    """All masks of the first round contain a large false region besides the object, and the last frame is corrected.

    The correction removes most of the false region in the second half of the video, not only near the last frame.
    """
    random = np.random.default_rng(0)
    frame = random.integers(90, 120, (96, 160, 3)).astype(np.uint8)
    frame[30:60, 30:70], frame[20:80, 100:150] = (200, 30, 30), (40, 60, 180)
    right = np.zeros((96, 160), np.uint8)
    right[30:60, 30:70] = 1
    over = right.copy()
    over[20:80, 100:150] = 1
    stored = [MaskUpdate(index, over, (1.0,)) for index in range(11)]
    first = past_round("flow", Interaction(0, (line(45, 50),)), 1, stored)
    session = create_engine_session("flow", ArrayFrames(np.repeat(frame[None], 11, axis=0)), 1, rounds=[first])
    background = [np.array([(102, y), (148, y)]) / (159, 95) for y in range(20, 80, 2)]
    found = {
        update.frame: update.labels
        for update in session.run_round(Interaction(10, tuple(Scribble(0, path) for path in background)))
    }
    wrong = [(found[index] & ~right & 1).sum() / (over != right).sum() for index in range(6, 11)]
    assert max(wrong) < 0.3  # if masks were weighted by their distance in frames alone, frame 6 would not change
    assert all((found[index][30:60, 30:70] == 1).mean() > 0.9 for index in range(1, 11))
    assert 0 not in found  # the mask of the annotated frame does not change


class OfOneThread(Mapping[int, LabelMap]):
    """Stored masks by frame that only the thread which created this object may read, as with a database connection."""

    def __init__(self, masks: dict[int, LabelMap]) -> None:
        self._masks, self._thread = masks, threading.get_ident()

    def __getitem__(self, frame: int) -> LabelMap:
        assert threading.get_ident() == self._thread
        return self._masks[frame]

    def __iter__(self) -> Iterator[int]:
        return iter(self._masks)

    def __len__(self) -> int:
        return len(self._masks)


@pytest.mark.parametrize("engine", ["flow", "star"])
def test_stored_masks_are_read_by_the_thread_that_runs_the_round(engine: str) -> None:
    clip = make_clip(length=9, height=48, width=64, num_objects=2)
    frames, drawn = ArrayFrames(clip.frames), [Interaction(f, first_strokes(clip.truth[f], 2)) for f in (1, 4)]
    kept, fresh = (create_engine_session(engine, frames, 2) for _ in range(2))
    updates = list(kept.run_round(drawn[0]))
    first = {update.frame: update.labels for update in updates}
    states = {update.frame: update.engine_state for update in updates if update.engine_state is not None}
    fresh.restore([PastRound(engine, (drawn[0],), 2, OfOneThread(first), states)])
    for session in (kept, fresh):
        session.lock(7, clip.truth[7])  # An accepted frame has no scribbles.
    pairs = list(zip(kept.run_round(drawn[1]), fresh.run_round(drawn[1]), strict=True))
    assert len(pairs) > 1
    for update, other in pairs:
        assert update.frame == other.frame
        np.testing.assert_array_equal(update.labels, other.labels)


def test_a_frame_that_cannot_be_read_ends_the_round_there_and_a_later_one_goes_on() -> None:
    clip = make_clip(length=8, height=48, width=64, num_objects=1)

    class Broken(ArrayFrames):
        broken = True

        def __getitem__(self, index: int) -> Image:
            if index == 6 and self.broken:
                raise ValueError("frames: 6 cannot be read")
            return super().__getitem__(index)

    frames, drawn = Broken(clip.frames), Interaction(3, first_strokes(clip.truth[3], 1))
    session, found = create_engine_session("flow", frames, 1), set[int]()
    with pytest.raises(ValueError, match="6 cannot be read"):
        found.update(update.frame for update in session.run_round(drawn))
    assert found == {1, 2, 3, 4, 5}
    frames.broken = False
    assert {6, 7} <= {update.frame for update in session.run_round(drawn)}
