"""Conformance tests: engines respect what people decide, for example limits of a round, given masks, absent objects.

`MaskConformance` inherits these tests, and `EngineConformance` with it, so that they run for every engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import pytest

from segmentation import Box, Click, Interaction, MaskUpdate, PastRound, Scribble
from segmentation.engine import Engine
from tests.segmentation.clips import Clip, interaction_on
from tests.segmentation.engine_tools import assert_same_updates, past_round


class DecisionConformance:
    engine: ClassVar[str]
    height: ClassVar[int]
    width: ClassVar[int]
    length: ClassVar[int]

    def clip(self, **changes: Any) -> Clip:
        raise NotImplementedError

    def open(self, clip: Clip, num_objects: int | None = None, rounds: Sequence[PastRound] = ()) -> Engine:
        raise NotImplementedError

    # --- spans, directions, objects ---------------------------------------------------------------------------------

    @pytest.mark.parametrize(
        ("span", "direction", "frames"),
        [
            ((2, 5), "both", [2, 3, 4, 5]),
            (None, "forward", [3, 4, 5, 6, 7]),
            (None, "backward", [0, 1, 2, 3]),
            ((3, 3), "both", [3]),
        ],
    )
    def test_a_round_stays_in_its_span_and_direction(
        self, span: tuple[int, int] | None, direction: str, frames: list[int]
    ) -> None:
        clip = self.clip()
        kept, first = self.open(clip), interaction_on(clip, 3)
        updates = list(kept.run_round(first, span, direction))
        assert updates[0].frame == 3
        assert sorted(update.frame for update in updates) == frames
        rebuilt = self.open(clip, rounds=[past_round(self.engine, first, 1, updates)])
        second = interaction_on(clip, 6)
        later = list(kept.run_round(second))
        assert {u.frame for u in later} | set(frames) == set(range(self.length))
        assert_same_updates(later, list(rebuilt.run_round(second)))

    def test_only_the_objects_of_a_round_and_none_that_are_frozen_change(self) -> None:
        clip = self.clip(num_objects=2)
        session = self.open(clip)
        before = {u.frame: u.labels == 2 for u in session.run_round(interaction_on(clip, 2))}
        stroke = Interaction(5, (Scribble(1, np.array([[0.1, 0.9], [0.9, 0.9]])),))
        for update in session.run_round(stroke, objects=[1]):
            np.testing.assert_array_equal(update.labels == 2, before[update.frame])
        session.freeze([2])
        for update in session.run_round(Interaction(4, (Scribble(0, np.array([[0.2, 0.5], [0.8, 0.5]])),))):
            np.testing.assert_array_equal(update.labels == 2, before[update.frame])

    # --- several drawn frames ---------------------------------------------------------------------------------------

    def test_several_drawn_frames_are_one_round(self) -> None:
        clip = self.clip(num_objects=2)
        kept, drawn = self.open(clip), [interaction_on(clip, 6), interaction_on(clip, 1)]
        updates = list(kept.run_round(drawn))
        assert [u.frame for u in updates[:2]] == [6, 1]
        assert sorted(u.frame for u in updates) == list(range(self.length))
        rebuilt = self.open(clip, rounds=[past_round(self.engine, drawn, 2, updates)])
        third = interaction_on(clip, 4, (1,))
        assert_same_updates(list(kept.run_round(third)), list(rebuilt.run_round(third)))

    def test_objects_drawn_in_different_frames_are_in_all_of_them(self) -> None:
        clip = self.clip(num_objects=2)
        kept, drawn = self.open(clip), [interaction_on(clip, 2, (1,)), interaction_on(clip, 5, (2,))]
        updates = list(kept.run_round(drawn))
        assert [u.frame for u in updates[:2]] == [2, 5]
        assert sorted(u.frame for u in updates) == list(range(self.length))
        alone = self.open(clip)
        carried = {u.frame: u.labels for u in alone.run_round(drawn[0], span=(2, 5))}
        free = updates[1].labels == 0
        assert not (free & (carried[5] == 1)).any()
        rebuilt = self.open(clip, rounds=[past_round(self.engine, drawn, 2, updates)])
        third = interaction_on(clip, 4)
        assert_same_updates(list(kept.run_round(third)), list(rebuilt.run_round(third)))

    @pytest.mark.parametrize("reached", [1, 2, 4])
    def test_a_cancelled_round_of_several_drawn_frames_can_be_rebuilt(self, reached: int) -> None:
        clip = self.clip()
        kept, drawn = self.open(clip), [interaction_on(clip, 1), interaction_on(clip, 6)]
        generator = kept.run_round(drawn)
        updates = [update for _, update in zip(range(reached), generator, strict=False)]
        generator.close()  # type: ignore[attr-defined]
        rebuilt = self.open(clip, rounds=[past_round(self.engine, drawn, 1, updates)])
        second = interaction_on(clip, 3)
        assert_same_updates(list(kept.run_round(second)), list(rebuilt.run_round(second)))

    # --- given masks --------------------------------------------------------------------------------------------------

    def test_given_pixels_stay_to_the_pixel_until_their_object_is_drawn_again(self) -> None:
        clip = self.clip(num_objects=2)
        kept = self.open(clip)
        first = interaction_on(clip, 2)
        history = [past_round(self.engine, first, 2, list(kept.run_round(first)))]
        painted = clip.truth[4].copy()
        painted[:6, :9] = 1
        kept.give(4, painted, [1])
        history.append(PastRound("", (), 2, {4: kept.masks.newest(4).copy()}, given={4: frozenset({1})}))
        second = interaction_on(clip, self.length - 1, (2,))
        updates = list(kept.run_round(second))
        (fourth,) = [u for u in updates if u.frame == 4] or [MaskUpdate(4, kept.masks.newest(4), (1.0, 1.0))]
        np.testing.assert_array_equal(fourth.labels == 1, painted == 1)
        assert fourth.confidence[0] == 1
        rebuilt = self.open(clip, rounds=history)
        assert_same_updates(updates, list(rebuilt.run_round(second)))
        erased = Interaction(4, (Scribble(0, np.array([[0.02, 0.05], [0.1, 0.05]])),))
        released = list(kept.run_round(erased))
        assert_same_updates(released, list(rebuilt.run_round(erased)))
        assert not (released[0].labels[2, 2:6] == 1).any()

    def test_a_round_may_start_from_a_given_mask_alone(self) -> None:
        clip = self.clip()
        kept = self.open(clip)
        kept.give(3, clip.truth[3], [1])
        painted = PastRound("", (), 1, {3: clip.truth[3]}, given={3: frozenset({1})})
        rebuilt = self.open(clip, rounds=[painted])
        updates = list(kept.run_round(Interaction(3)))
        assert {u.frame for u in updates} | {3} == set(range(self.length))
        np.testing.assert_array_equal(kept.masks.newest(3), clip.truth[3])
        assert_same_updates(updates, list(rebuilt.run_round(Interaction(3))))

    def test_one_object_can_be_locked_in_a_frame(self) -> None:
        clip = self.clip(num_objects=2)
        session = self.open(clip)
        session.lock(5, clip.truth[5], [2])
        (fifth,) = [update for update in session.run_round(interaction_on(clip, 5)) if update.frame == 5]
        np.testing.assert_array_equal(fifth.labels == 2, clip.truth[5] == 2)
        session.unlock(5)
        assert session.masks.constraints.fixed_ids(5) == frozenset()

    def test_masks_that_no_round_made_are_the_masks_so_far(self) -> None:
        clip = self.clip()
        edited = PastRound("", (), 1, {frame: clip.truth[frame] for frame in (2, 3)})
        first = interaction_on(clip, 6)
        session, other = self.open(clip, rounds=[edited]), self.open(clip)
        other.restore([edited])
        updates = list(session.run_round(first))
        assert updates[0].frame == 6
        assert_same_updates(updates, list(other.run_round(first)))

    # --- absent and lost objects ------------------------------------------------------------------------------------

    def test_an_absent_object_has_no_pixel_and_is_not_lost(self) -> None:
        clip = self.clip(num_objects=2)
        session = self.open(clip)
        session.absent(1, 4, 6)
        session.present(1, 6, 6)
        absent = [update for update in session.run_round(interaction_on(clip, 2)) if update.frame in (4, 5)]
        assert len(absent) == 2
        for update in absent:
            assert not (update.labels == 1).any()
            assert update.confidence[0] == 1
            assert 1 not in update.lost

    def test_an_object_with_almost_no_mask_is_lost(self) -> None:
        clip = self.clip(num_objects=2)
        updates = list(self.open(clip).run_round(interaction_on(clip, 2)))
        for update in updates:
            assert set(update.lost) >= {i for i in (1, 2) if not (update.labels == i).any() and updates[0].labels.any()}
            assert all((update.labels == i).mean() < 0.1 for i in update.lost)
            assert all(update.confidence[i - 1] <= 0.5 for i in update.lost)

    # --- previews, prompts, preparation -----------------------------------------------------------------------------

    def test_a_preview_is_the_first_mask_of_the_round_and_changes_nothing(self) -> None:
        clip = self.clip(num_objects=2)
        session, untouched = self.open(clip), self.open(clip)
        first, second = interaction_on(clip, 2), interaction_on(clip, 5)
        for interaction in (first, second):
            seen = session.preview(interaction)
            updates = list(session.run_round(interaction))
            assert_same_updates([seen], updates[:1])
            assert_same_updates(updates, list(untouched.run_round(interaction)))

    def test_clicks_and_boxes_draw_and_a_box_bounds_its_object(self) -> None:
        clip = self.clip()
        rows, columns = np.nonzero(clip.truth[3] == 1)
        low = columns.min() / (self.width - 1), rows.min() / (self.height - 1)
        high = columns.max() / (self.width - 1), rows.max() / (self.height - 1)
        middle = (low[0] + high[0]) / 2, (low[1] + high[1]) / 2
        clicked = self.open(clip).preview(Interaction(3, clicks=(Click(1, middle),)))
        assert clicked.labels[int(middle[1] * (self.height - 1)), int(middle[0] * (self.width - 1))] == 1
        session = self.open(clip)
        boxed = next(iter(session.run_round(Interaction(3, boxes=(Box(1, (*low, *high)),)))))
        outside = boxed.labels.copy()
        outside[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1] = 0
        assert (boxed.labels == 1).any()
        assert not outside.any()

    def test_preparing_frames_changes_no_mask_and_can_be_stopped(self) -> None:
        clip = self.clip()
        session, untouched = self.open(clip), self.open(clip)
        assert list(session.prepare([3, 4])) == [3, 4]
        session.stopping = lambda: True
        assert list(session.prepare([5])) == []
        session.stopping = untouched.stopping
        first = interaction_on(clip, 3)
        assert_same_updates(list(session.run_round(first)), list(untouched.run_round(first)))
