from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from segmentation.classical.mask_history import UNKNOWN_CONFIDENCE, MaskFile, MaskHistory, update_with_confidence
from segmentation.types import Interaction, PastRound, Scribble


def labels(value: int) -> np.ndarray:
    mask = np.zeros((6, 8), np.uint8)
    mask[2:4, 2:5] = value
    return mask


def drawn(frame: int, object_id: int) -> Interaction:
    return Interaction(frame, (Scribble(object_id, np.array([[0.5, 0.5]])),))


def test_masks_come_back_from_the_file(tmp_path: Path) -> None:
    masks = MaskFile(6, 8, str(tmp_path))
    masks[3] = labels(1)
    masks[9] = labels(2)
    masks[3] = labels(5)
    np.testing.assert_array_equal(masks[3], labels(5))
    np.testing.assert_array_equal(masks[9], labels(2))
    assert 4 not in masks
    assert list(tmp_path.iterdir()) == [], "the file has no name: nothing is left behind by a killed worker"
    masks.close()


def test_an_object_is_annotated_where_it_was_drawn_or_changed() -> None:
    history = MaskHistory(6, 8, None)
    history.store(update_with_confidence(2, labels(1), [0.7]))
    assert history.annotate(drawn(2, 2), labels(2)) == {1, 2}
    assert history.annotated == {1: {2}, 2: {2}}
    assert history.annotate(drawn(4, 0), labels(0)) == set()


def test_a_locked_frame_is_annotated_for_what_was_drawn() -> None:
    history = MaskHistory(6, 8, None)
    assert history.annotate(drawn(2, 2), None) == {2}


def test_forgetting_an_interaction_without_scribbles_leaves_those_of_others() -> None:
    history = MaskHistory(6, 8, None)
    for interaction in (drawn(2, 1), Interaction(2, ())):
        history.add_scribbles(interaction)
        history.annotate(interaction, None)
    history.undo_interaction(Interaction(2, ()))
    assert [scribble.object_id for scribble in history.scribbles[2]] == [1]
    history.undo_interaction(drawn(2, 1))
    assert history.scribbles[2] == []


def test_the_newest_mask_counts_whoever_made_it() -> None:
    history = MaskHistory(6, 8, None)
    history.store(update_with_confidence(1, labels(1), [0.7]))
    history.restore(PastRound("flow", (drawn(1, 1),), 1, {1: labels(3), 2: labels(4)}))
    for frame, value in ((1, 3), (2, 4)):
        mask = history.mask(frame)
        assert mask is not None
        np.testing.assert_array_equal(mask, labels(value))
    history.store(update_with_confidence(2, labels(6), [0.7]))
    newest = history.mask(2)
    assert newest is not None
    np.testing.assert_array_equal(newest, labels(6))
    assert history.mask(3) is None
    assert history.scribbles[1][0].object_id == 1


def test_a_rebuilt_session_has_the_newest_confidence_of_a_mask() -> None:
    kept, rebuilt = MaskHistory(6, 8, None), MaskHistory(6, 8, None)
    update = update_with_confidence(2, labels(1), [0.7, 0.123456])
    kept.store(update)
    assert update.engine_state is not None
    rebuilt.restore(PastRound("flow", (drawn(2, 1),), 2, {2: labels(1)}, {2: update.engine_state}))
    for history in (kept, rebuilt):
        assert [history.confidence(2, o) for o in (1, 2)] == list(update.confidence)
        assert history.confidence(2, 3) == history.confidence(5, 1) == UNKNOWN_CONFIDENCE
    # A newer mask without an engine state, as rounds of other engines have them here, takes the confidence away.
    rebuilt.restore(PastRound("stm", (drawn(2, 1),), 2, {2: labels(3)}))
    assert rebuilt.confidence(2, 1) == UNKNOWN_CONFIDENCE


class Lazy(Mapping[int, np.ndarray]):
    """A mapping from `count` frames to masks that records in `read` the frames whose masks were read."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.read: list[int] = []

    def __getitem__(self, frame: int) -> np.ndarray:
        self.read.append(frame)
        return labels(1)

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[int]:
        return iter(range(self.count))


def test_stored_masks_are_read_when_they_are_needed() -> None:
    stored = Lazy(50)
    history = MaskHistory(6, 8, None)
    history.restore(PastRound("flow", (drawn(7, 1),), 1, stored))
    assert set(stored.read) <= {7}
