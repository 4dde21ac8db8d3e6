"""Tests the rounds of a session: they give the newest masks, and stored rounds count like rounds of the session."""

from __future__ import annotations

import numpy as np

from segmentation.session.probability_maps import decode, encode
from segmentation.session.round_history import RoundHistory
from segmentation.types import Interaction, MaskUpdate, PastRound, Scribble

DOT = np.array([[0.5, 0.5]])


def interaction(frame: int, *ids: int) -> Interaction:
    return Interaction(frame, tuple(Scribble(i, DOT) for i in ids))


def update(frame: int, value: float) -> MaskUpdate:
    masks = np.full((1, 4, 6), value, np.float32)
    return MaskUpdate(frame, (masks[0] > 0.5).astype(np.uint8), (1.0,), encode(masks))


def test_the_newest_mask_of_a_frame_wins_and_the_older_is_forgotten() -> None:
    history = RoundHistory((4, 6))
    first = history.begin("an engine", interaction(0, 1), 1)
    history.store(update(0, 1.0))
    history.store(update(1, 1.0))
    second = history.begin("an engine", interaction(2, 1), 1)
    history.store(update(1, 0.2))
    probabilities = history.probabilities(1)
    assert probabilities is not None
    np.testing.assert_allclose(probabilities, 0.2, atol=0.01)
    assert set(first.past.labels) == {0}
    assert set(second.past.labels) == {1}
    assert history.probabilities(2) is None


def test_a_record_remembers_the_mask_before_its_round() -> None:
    history = RoundHistory((4, 6))
    assert history.begin("an engine", interaction(3, 1), 1).before is None
    history.store(update(3, 0.6))
    record = history.begin("an engine", interaction(3, 1), 1)
    history.store(update(3, 0.1))
    assert record.before is not None
    np.testing.assert_allclose(decode(record.before, 4, 6), 0.6, atol=0.01)


def test_masks_of_another_engine_count_as_certain() -> None:
    history = RoundHistory((4, 6))
    labels = np.zeros((8, 12), np.uint8)
    labels[:4] = 2
    history.add(PastRound("another", (interaction(0, 1, 2),), 2, {5: labels}))
    probabilities = history.probabilities(5)
    assert probabilities is not None
    assert probabilities.shape == (2, 4, 6)
    assert probabilities[1, :2].min() == 1
    assert probabilities[1, 2:].max() == probabilities[0].max() == 0


def test_it_knows_since_when_an_object_is_drawn() -> None:
    history = RoundHistory((4, 6))
    for ids in ((0,), (2,), (1, 2), (3,)):
        history.begin("an engine", interaction(0, *ids), 3)
    assert history.first_drawn() == {2: 1, 1: 2, 3: 3}


def test_a_frame_is_covered_by_rounds_before_the_last() -> None:
    history = RoundHistory((4, 6))
    history.begin("an engine", interaction(0, 1), 1)
    history.store(update(4, 1.0))
    history.begin("an engine", interaction(1, 1), 1)
    history.store(update(5, 1.0))
    assert history.covers(4, since=0)
    assert not history.covers(4, since=1)
    assert not history.covers(5, since=0)
