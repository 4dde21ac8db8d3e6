"""Runs on `flow` the conformance tests that every engine must pass, and tests of its quality, corrections, stopping and
memory.
"""

from __future__ import annotations

import numpy as np
import pytest

from segmentation import Interaction, MaskUpdate, Scribble, create_engine_session
from segmentation.classical.scaled_frames import KEPT
from segmentation.evaluation.stroke import correcting_stroke
from segmentation.frames import ArrayFrames
from segmentation.metrics import jaccard
from tests.segmentation.clips import Clip, interaction_on, make_clip
from tests.segmentation.engine_conformance import EngineConformance, past_round


class TestFlow(EngineConformance):
    engine = "flow"


def run(clip: Clip, *interactions: Interaction) -> tuple[np.ndarray, list[list[MaskUpdate]]]:
    """Run a round for each interaction. Return the final masks [T, H, W], and the updates of each round."""
    session = create_engine_session("flow", ArrayFrames(clip.frames), clip.num_objects)
    masks, rounds = np.zeros_like(clip.truth), []
    for interaction in interactions:
        rounds.append(list(session.run_round(interaction)))
        for update in rounds[-1]:
            masks[update.frame] = update.labels
    return masks, rounds


def mean_j(clip: Clip, masks: np.ndarray) -> float:
    return float(np.mean([jaccard(t, m, clip.num_objects).mean() for t, m in zip(clip.truth, masks, strict=True)]))


@pytest.fixture(scope="module")
def clip() -> Clip:
    return make_clip(length=16, height=120, width=214, num_objects=2, speed=0.01)


def test_two_rounds_find_textured_objects_on_a_simple_clip(clip: Clip) -> None:
    masks, _ = run(clip, interaction_on(clip, 4), interaction_on(clip, 12))
    assert mean_j(clip, masks) >= 0.8


def test_objects_that_pass_each_other_keep_their_names() -> None:
    crossing = make_clip(length=12, height=120, width=214, num_objects=2, speed=0.02)
    masks, _ = run(crossing, interaction_on(crossing, 5))
    for object_id in (1, 2):
        mine = crossing.truth == object_id
        mixed = (masks[mine] == 3 - object_id).mean()
        assert mixed < 0.1


def test_a_round_stops_at_frames_annotated_before(clip: Clip) -> None:
    empty = [MaskUpdate(f, np.zeros_like(clip.truth[0]), (1.0, 1.0)) for f in range(16)]
    history = [past_round("flow", interaction_on(clip, 2), 2, empty)]  # a first round whose masks are empty
    session = create_engine_session("flow", ArrayFrames(clip.frames), 2, rounds=history)
    second = {u.frame for u in session.run_round(interaction_on(clip, 12))}
    third = {u.frame for u in session.run_round(interaction_on(clip, 7))}
    assert second == set(range(3, 16))
    assert third <= set(range(3, 12))
    assert 7 in third


def test_a_small_correction_leaves_far_parts_of_other_frames_alone(clip: Clip) -> None:
    wrong = clip.truth.copy()
    wrong[:, :, :100][wrong[:, :, :100] == 2] = 0  # object 2 is missing in the left part, far from the scribble
    y, x = (int(v) for v in np.argwhere(wrong[8] == 1).mean(axis=0))
    bite = wrong[8].copy()
    bite[y - 3 : y + 3, x - 6 : x + 6] = 0
    stored = [MaskUpdate(f, bite if f == 8 else wrong[f], (1.0, 1.0)) for f in range(16)]
    history = [past_round("flow", interaction_on(clip, 0), 2, stored)]
    session = create_engine_session("flow", ArrayFrames(clip.frames), 2, rounds=history)
    line = np.stack([np.linspace(x - 4, x + 4, 9) / 213, np.full(9, y / 119)], axis=1)
    updates = {u.frame: u.labels for u in session.run_round(Interaction(8, (Scribble(1, line),)))}
    assert jaccard(wrong[8], updates[8], 1)[0] > jaccard(wrong[8], bite, 1)[0]
    far = np.ones_like(bite, bool)
    far[max(y - 40, 0) : y + 40, max(x - 40, 0) : x + 40] = False
    for frame, labels in updates.items():
        standing = bite if frame == 8 else wrong[frame]
        assert np.count_nonzero((labels != standing) & far) <= 0.001 * far.sum()


def test_a_correction_of_one_object_leaves_the_other_alone(clip: Clip) -> None:
    masks, _ = run(clip, interaction_on(clip, 4))
    other = masks == 2
    again, _ = run(clip, interaction_on(clip, 4), interaction_on(clip, 10, (1,)))
    assert np.count_nonzero((again == 2) != other) < 0.02 * other.sum()


@pytest.mark.parametrize("seed", range(4))
def test_a_correction_does_not_make_its_frame_worse(seed: int) -> None:
    """The mask of the object lacks a part or is too large. A scribble in the wrong region does not make it worse."""
    clip = make_clip(length=3, height=120, width=214, seed=seed)
    rng = np.random.default_rng(seed)
    wrong = clip.truth[1].copy()
    y, x = (int(v) for v in rng.permutation(np.argwhere(wrong == 1))[0])
    wrong[max(y - 14, 0) : y + 14, max(x - 20, 0) : x + 20] = seed % 2
    scribble = correcting_stroke(clip.truth[1], wrong)
    assert scribble is not None
    history = [past_round("flow", interaction_on(clip, 1), 1, [MaskUpdate(f, wrong, (1.0,)) for f in range(3)])]
    session = create_engine_session("flow", ArrayFrames(clip.frames), 1, rounds=history)
    corrected = next(iter(session.run_round(Interaction(1, (scribble,))))).labels
    before, after = (jaccard(clip.truth[1], mask, 1)[0] for mask in (wrong, corrected))
    assert after >= before


def test_strokes_where_they_belong_already_change_nothing_else(clip: Clip) -> None:
    session = create_engine_session("flow", ArrayFrames(clip.frames), 2)
    first = next(iter(session.run_round(interaction_on(clip, 4)))).labels
    again = next(iter(session.run_round(interaction_on(clip, 4)))).labels
    assert np.count_nonzero(first != again) <= 0.002 * first.size


def test_a_scribble_of_one_point_gets_a_mask(clip: Clip) -> None:
    ys, xs = np.nonzero(clip.truth[4] == 1)
    middle = np.array([[xs.mean() / (clip.truth.shape[2] - 1), ys.mean() / (clip.truth.shape[1] - 1)]])
    masks, _ = run(clip, Interaction(4, (Scribble(1, middle),)))
    assert (masks[4] == 1).sum() > 0.3 * len(ys)


def test_an_object_that_left_is_not_found_elsewhere() -> None:
    clip = make_clip(length=10, height=96, width=160)
    frames = clip.frames.copy()
    frames[5:] = make_clip(length=1, height=96, width=160, seed=3, num_objects=1).frames[0][:, ::-1].mean(axis=(0, 1))
    masks, _ = run(Clip(frames, clip.truth, 1), interaction_on(clip, 2))
    assert masks[3].any()
    assert masks[9].mean() < 0.05


def test_it_gives_masks_of_a_large_video_at_its_own_size() -> None:
    clip = make_clip(length=2, height=1081, width=1921)
    masks, _ = run(clip, interaction_on(clip, 0))
    assert mean_j(clip, masks) > 0.8


class Endless:
    """A `FrameSource` of any length that repeats eight frames forward and backward, so that it needs little memory."""

    def __init__(self, length: int) -> None:
        self._clip = make_clip(length=8, height=48, width=64)
        self.height, self.width = 48, 64
        self._length = length

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int) -> np.ndarray:
        at = index % 14
        return self._clip.frames[at if at < 8 else 14 - at].copy()


def test_memory_does_not_grow_with_the_clip(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory grows by less than a kilobyte per frame: a session caches few frames and stores masks on disk."""
    import tracemalloc

    monkeypatch.setattr("segmentation.classical.engine.FLOWS_BYTES", 100_000)  # the cache is full after a few frames

    def held(length: int) -> int:
        session = create_engine_session("flow", Endless(length), 1)
        clip = make_clip(length=8, height=48, width=64)
        tracemalloc.start()
        updates = session.run_round(interaction_on(clip, 3))
        for _ in updates:
            pass
        size, _peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        session.close()
        return size

    held(20)  # the first run loads modules and tables, which would be measured otherwise
    short, long = held(40), held(160)
    assert long < short + 120 * 1000, "it grew by a kilobyte per frame or more"
    assert KEPT <= 16


def test_taking_a_false_mask_away_takes_it_from_the_neighbours_but_no_true_mask_elsewhere() -> None:
    clip = make_clip(length=10, height=96, width=160)
    false = np.zeros((96, 160), np.uint8)
    false[70:90, 120:150] = 1
    # The stored masks show the object in frames 0-4, and a false region in the corner in frames 5-9.
    stored = [MaskUpdate(f, clip.truth[f] if f < 5 else false, (1.0,)) for f in range(10)]
    session = create_engine_session(
        "flow", ArrayFrames(clip.frames), 1, rounds=[past_round("flow", interaction_on(clip, 0), 1, stored)]
    )
    ground = Scribble(0, np.stack([np.linspace(120, 149, 20) / 159, np.full(20, 80 / 95)], axis=1))
    rows = tuple(Scribble(0, ground.path + np.array([0, dy / 95])) for dy in range(-10, 10))
    masks = {u.frame: u.labels for u in session.run_round(Interaction(7, rows))}
    for frame in (5, 6, 7, 8, 9):
        assert not masks[frame].any(), f"frame {frame}"
    np.testing.assert_array_equal(masks.get(4, clip.truth[4]), clip.truth[4])
