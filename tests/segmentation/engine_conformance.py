"""The conformance tests that every engine must pass. The tests of an engine subclass `EngineConformance`:

    class TestFlow(EngineConformance):
        engine = "flow"

The subclass may override the class variables of `MaskConformance`, for example `settings` for an engine that needs
weights, and add tests of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import numpy as np
import pytest

from segmentation import EngineSettings, Interaction, MaskUpdate, PastRound, Scribble, create_engine_session
from segmentation.engine import Engine
from segmentation.frames import ArrayFrames
from segmentation.scribbles import rasterise
from segmentation.session.packed_labels import PackedLabels
from tests.segmentation.clips import Clip, interaction_on, make_clip
from tests.segmentation.decision_conformance import DecisionConformance
from tests.segmentation.engine_tools import CountingFrames, assert_same_updates, past_round
from tests.segmentation.input_conformance import InputConformance

ENGINE_STATE_LIMIT = 64 * 1024


class MaskConformance(DecisionConformance):
    """The conformance tests that depend on the masks that an engine computes."""

    engine: ClassVar[str]
    settings: ClassVar[EngineSettings | None] = None
    options: ClassVar[dict[str, Any]] = {}
    height: ClassVar[int] = 48
    width: ClassVar[int] = 64
    length: ClassVar[int] = 8
    reads_before_first_mask: ClassVar[int] = 3  # frames that the engine may read before the first mask

    # --- what the tests use ---------------------------------------------------------------------------------------

    def clip(self, **changes: Any) -> Clip:
        shape = {"length": self.length, "height": self.height, "width": self.width}
        return make_clip(**{**shape, **changes})

    def open(self, clip: Clip, num_objects: int | None = None, rounds: Sequence[PastRound] = ()) -> Engine:
        frames = ArrayFrames(clip.frames)
        objects = num_objects or clip.num_objects
        return create_engine_session(self.engine, frames, objects, self.settings, rounds, **self.options)

    def run(self, session: Engine, interaction: Interaction, stop_after: int | None = None) -> list[MaskUpdate]:
        """Run a round and return its updates. The round is cancelled after `stop_after` updates, if that is given."""
        updates = []
        generator = session.run_round(interaction)
        for update in generator:
            updates.append(update)
            if len(updates) == stop_after:
                break
        generator.close()  # type: ignore[attr-defined]
        return updates

    @pytest.fixture(scope="class")
    def configured(self) -> None:
        """Set class variables whose values are known only when the tests run. Here it does nothing; suites that write
        weights override it.
        """

    @pytest.fixture(autouse=True, scope="class")
    def kept_open(self, configured: None) -> Iterator[None]:
        """Keep a session open during all tests, so that they share its networks instead of loading them again."""
        session = self.open(self.clip(length=1))
        yield
        session.close()

    # --- what a round yields --------------------------------------------------------------------------------------

    def test_the_first_round_gives_every_frame_once(self) -> None:
        clip = self.clip(num_objects=2)
        updates = self.run(self.open(clip), interaction_on(clip, 3))
        assert sorted(u.frame for u in updates) == list(range(self.length))

    def test_it_starts_on_the_interacted_frame_and_goes_outward(self) -> None:
        clip = self.clip()
        order = [u.frame for u in self.run(self.open(clip), interaction_on(clip, 3))]
        assert order[0] == 3
        later, earlier = [f for f in order if f > 3], [f for f in order if f < 3]
        assert later == sorted(later)
        assert earlier == sorted(earlier, reverse=True)

    def test_masks_are_label_maps_of_the_video_size(self) -> None:
        clip = self.clip(num_objects=2)
        updates = self.run(self.open(clip), interaction_on(clip, 2))
        assert updates
        for update in updates:
            assert update.labels.dtype == np.uint8
            assert update.labels.shape == (self.height, self.width)
            assert update.labels.max() <= 2

    def test_confidence_is_a_number_from_0_to_1_for_each_object(self) -> None:
        clip = self.clip(num_objects=2)
        updates = self.run(self.open(clip), interaction_on(clip, 2))
        assert updates
        for update in updates:
            assert len(update.confidence) == 2
            assert all(0 <= c <= 1 for c in update.confidence)

    def test_the_engine_state_of_a_mask_is_small(self) -> None:
        clip = self.clip(num_objects=2)
        for update in self.run(self.open(clip), interaction_on(clip, 2)):
            assert update.engine_state is None or len(update.engine_state) <= ENGINE_STATE_LIMIT

    def test_scribbled_pixels_get_their_object(self) -> None:
        """At least 90 % of the scribbled pixels get their object: engines may compute at a smaller size."""
        clip = self.clip(num_objects=2)
        interaction = interaction_on(clip, 3)
        first = self.run(self.open(clip), interaction, stop_after=1)[0]
        raster = rasterise(interaction.scribbles, self.height, self.width)
        for object_id in (1, 2):
            assert (first.labels[raster == object_id] == object_id).mean() >= 0.9

    def test_yielded_masks_stay_as_they_are(self) -> None:
        """The engine does not modify the arrays of masks that it has yielded."""
        clip = self.clip()
        seen = [(u, u.labels.copy()) for u in self.open(clip).run_round(interaction_on(clip, 3))]
        for update, copy in seen:
            np.testing.assert_array_equal(update.labels, copy)

    def test_the_same_input_gives_the_same_masks(self) -> None:
        clip = self.clip(num_objects=2)
        interaction = interaction_on(clip, 3)
        assert_same_updates(self.run(self.open(clip), interaction), self.run(self.open(clip), interaction))

    def test_the_first_mask_needs_few_frames(self) -> None:
        """The first mask of a round is yielded after reading at most `reads_before_first_mask` frames."""
        clip = self.clip()
        frames = CountingFrames(clip.frames)
        session = create_engine_session(self.engine, frames, 1, self.settings, **self.options)
        self.run(session, interaction_on(clip, 3), stop_after=1)
        assert len(set(frames.read)) <= self.reads_before_first_mask

    # --- later rounds, cancelled rounds, rebuilt sessions -----------------------------------------------------------

    def test_a_second_round_starts_on_its_frame(self) -> None:
        clip = self.clip()
        session = self.open(clip)
        self.run(session, interaction_on(clip, 1))
        updates = self.run(session, interaction_on(clip, 6))
        assert updates[0].frame == 6
        assert len({u.frame for u in updates}) == len(updates)

    def test_a_cancelled_round_leaves_a_usable_session(self) -> None:
        clip = self.clip()
        session = self.open(clip)
        assert len(self.run(session, interaction_on(clip, 3), stop_after=2)) == 2
        covered = {u.frame for u in self.run(session, interaction_on(clip, 5))}
        # The next round also computes the frames that the cancelled round did not compute.
        assert covered | {3, 4} == set(range(self.length))

    def test_a_rebuilt_session_is_the_kept_one(self) -> None:
        clip = self.clip(num_objects=2)
        kept, history = self.open(clip), []
        for frame in (2, 6):
            interaction = interaction_on(clip, frame)
            history.append(past_round(self.engine, interaction, 2, self.run(kept, interaction)))
        rebuilt = self.open(clip, rounds=history)
        third = interaction_on(clip, 4, (1,))
        assert_same_updates(self.run(kept, third), self.run(rebuilt, third))

    @pytest.mark.parametrize("reached", [1, 2, 5])
    def test_a_session_rebuilt_from_a_cancelled_round_is_the_kept_one(self, reached: int) -> None:
        clip = self.clip(num_objects=2)
        kept, history = self.open(clip), []
        for frame, stop_after in ((2, None), (5, reached)):
            interaction = interaction_on(clip, frame)
            history.append(past_round(self.engine, interaction, 2, self.run(kept, interaction, stop_after)))
        rebuilt = self.open(clip, rounds=history)
        third = interaction_on(clip, 3)
        assert_same_updates(self.run(kept, third), self.run(rebuilt, third))

    def test_a_session_rebuilt_from_a_first_round_cut_short_is_the_kept_one(self) -> None:
        clip = self.clip()
        kept = self.open(clip)
        first = interaction_on(clip, 4)
        history = [past_round(self.engine, first, 1, self.run(kept, first, stop_after=3))]
        second = interaction_on(clip, 1)
        assert_same_updates(self.run(kept, second), self.run(self.open(clip, rounds=history), second))

    def test_it_goes_on_from_rounds_of_another_engine(self) -> None:
        """A session is restored from a round of another engine, with engine states that it cannot read, and goes on."""
        clip = self.clip()
        first = interaction_on(clip, 2)
        labels = {t: clip.truth[t] for t in range(self.length)}
        other = PastRound("another", (first,), 1, labels, dict.fromkeys(labels, b"not yours"))
        session = self.open(clip, rounds=[other])
        updates = self.run(session, interaction_on(clip, 5))
        assert updates[0].frame == 5
        assert all(u.labels.shape == (self.height, self.width) for u in updates)

    # --- accepted frames --------------------------------------------------------------------------------------------

    def test_locked_frames_are_not_yielded(self) -> None:
        clip = self.clip()
        session = self.open(clip)
        self.run(session, interaction_on(clip, 1))
        session.lock(5, clip.truth[5])
        assert 5 not in {u.frame for u in self.run(session, interaction_on(clip, 3))}

    def test_a_locked_frame_that_is_drawn_on_stays_locked(self) -> None:
        clip = self.clip()
        session = self.open(clip)
        session.lock(3, clip.truth[3])
        updates = self.run(session, interaction_on(clip, 3))
        assert sorted(u.frame for u in updates) == [f for f in range(self.length) if f != 3]

    def test_an_unlocked_frame_is_yielded_again(self) -> None:
        clip = self.clip()
        session = self.open(clip)
        session.lock(3, clip.truth[3])
        session.unlock(3)
        assert 3 in {u.frame for u in self.run(session, interaction_on(clip, 2))}

    def test_an_accepted_mask_is_copied_and_stored_packed(self) -> None:
        clip = self.clip()
        session = self.open(clip)
        mask = clip.truth[3].copy()
        session.lock(3, mask)
        mask[:] = 0  # has no effect, because the session has copied the mask
        np.testing.assert_array_equal(session.locked[3], clip.truth[3])
        assert session.locked_ids[3] == {0, 1}
        assert isinstance(session.locked, PackedLabels)

    def test_a_rebuilt_session_with_locked_frames_is_the_kept_one(self) -> None:
        clip = self.clip(num_objects=2)
        kept = self.open(clip)
        first = interaction_on(clip, 2)
        history = [past_round(self.engine, first, 2, self.run(kept, first))]
        rebuilt = self.open(clip, rounds=history)
        for session in (kept, rebuilt):
            session.lock(5, clip.truth[5])
        second = interaction_on(clip, 4)
        assert_same_updates(self.run(kept, second), self.run(rebuilt, second))

    def test_a_locked_mask_may_show_an_object_that_is_added_later(self) -> None:
        clip = self.clip(num_objects=2)
        session = self.open(clip, num_objects=1)
        session.lock(5, clip.truth[5])
        first, second = interaction_on(clip, 2, (1,)), interaction_on(clip, 4, (1,))
        updates = self.run(session, first)
        assert all(u.labels.max() <= 1 for u in updates)
        session.num_objects = 2
        rebuilt = self.open(clip, num_objects=2, rounds=[past_round(self.engine, first, 1, updates)])
        rebuilt.lock(5, clip.truth[5])
        later = self.run(session, second)
        assert all(len(u.confidence) == 2 for u in later)
        assert_same_updates(later, self.run(rebuilt, second))

    @pytest.mark.parametrize("object_id", [0, 1])
    def test_a_round_without_masks_changes_nothing(self, object_id: int) -> None:
        clip = self.clip()
        session, untouched = self.open(clip), self.open(clip)
        first, second = interaction_on(clip, 2), interaction_on(clip, 5)
        nowhere = Interaction(5, (Scribble(object_id, np.array([[0.05, 0.05], [0.3, 0.1]])),))
        assert_same_updates(self.run(session, first), self.run(untouched, first))
        for frame in range(self.length):
            session.lock(frame, clip.truth[frame])
        assert self.run(session, nowhere) == []
        for frame in range(self.length):
            session.unlock(frame)
        assert_same_updates(self.run(session, second), self.run(untouched, second))

    # --- objects ----------------------------------------------------------------------------------------------------

    def test_an_object_added_later_appears(self) -> None:
        clip = self.clip(num_objects=2)
        session = self.open(clip, num_objects=1)
        self.run(session, interaction_on(clip, 2, (1,)))
        session.num_objects = 2
        updates = self.run(session, interaction_on(clip, 4, (2,)))
        assert (updates[0].labels == 2).any()
        assert len(updates[0].confidence) == 2
        assert {u.frame for u in updates} == set(range(self.length)), "a new object is new in every frame"

    def test_a_session_rebuilt_across_an_added_object_is_the_kept_one(self) -> None:
        clip = self.clip(num_objects=2)
        kept = self.open(clip, num_objects=1)
        first, second = interaction_on(clip, 2, (1,)), interaction_on(clip, 4, (2,))
        history = [past_round(self.engine, first, 1, self.run(kept, first))]
        kept.num_objects = 2
        history.append(past_round(self.engine, second, 2, self.run(kept, second)))
        third = interaction_on(clip, 6)
        rebuilt = self.open(clip, num_objects=2, rounds=history)
        assert_same_updates(self.run(kept, third), self.run(rebuilt, third))

    def test_an_object_without_a_scribble_has_no_mask_yet(self) -> None:
        clip = self.clip(num_objects=2)
        updates = self.run(self.open(clip), interaction_on(clip, 3, (1,)))
        assert all(not (u.labels == 2).any() for u in updates)
        assert all(len(u.confidence) == 2 for u in updates)

    def test_scribbles_of_the_background_alone_give_an_empty_mask(self) -> None:
        clip = self.clip()
        ground = Interaction(3, (Scribble(0, np.array([[0.05, 0.05], [0.95, 0.05]])),))
        updates = self.run(self.open(clip), ground)
        assert updates
        assert all(not u.labels.any() for u in updates)

    def test_a_background_scribble_takes_pixels_away(self) -> None:
        clip = self.clip()
        session = self.open(clip)
        self.run(session, interaction_on(clip, 3))
        stroke = interaction_on(clip, 3).scribbles[0]
        update = self.run(session, Interaction(3, (Scribble(0, stroke.path),)), stop_after=1)[0]
        x, y = (stroke.path[len(stroke.path) // 2] * (self.width - 1, self.height - 1)).astype(int)
        assert update.labels[y, x] == 0

    def test_eleven_objects(self) -> None:
        clip = self.clip(num_objects=11, height=2 * self.height, width=2 * self.width, length=4)
        interaction = interaction_on(clip, 1)
        assert len(interaction.scribbles) == 11
        updates = self.run(self.open(clip), interaction)
        assert set(np.unique(updates[0].labels)) >= set(range(1, 12))
        assert all(len(u.confidence) == 11 for u in updates)

    # --- small and odd input ----------------------------------------------------------------------------------------

    def test_a_video_of_one_frame(self) -> None:
        clip = self.clip(length=1)
        session = self.open(clip)
        assert [u.frame for u in self.run(session, interaction_on(clip, 0))] == [0]
        assert [u.frame for u in self.run(session, interaction_on(clip, 0))] == [0]

    def test_a_scribble_of_one_point(self) -> None:
        clip = self.clip()
        point = interaction_on(clip, 3).scribbles[0].path
        dot = Scribble(1, point[len(point) // 2][None])
        updates = self.run(self.open(clip), Interaction(3, (dot,)))
        x, y = (dot.path[0] * (self.width - 1, self.height - 1)).astype(int)
        assert updates[0].labels[y, x] == 1
        assert len(updates) == self.length

    @pytest.mark.parametrize("frame", [0, -1])
    def test_scribbles_on_the_first_and_last_frame(self, frame: int) -> None:
        clip = self.clip()
        target = frame % self.length
        assert len(self.run(self.open(clip), interaction_on(clip, target))) == self.length

    @pytest.mark.parametrize(("height", "width"), [(37, 53), (33, 90), (91, 35)])
    def test_odd_sizes(self, height: int, width: int) -> None:
        clip = self.clip(height=height, width=width, length=3)
        updates = self.run(self.open(clip), interaction_on(clip, 1))
        assert [update.labels.shape for update in updates] == [(height, width)] * 3

    def test_scribbles_on_the_very_edge(self) -> None:
        clip = self.clip(length=3)
        edge = Scribble(1, np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]))
        assert len(self.run(self.open(clip), Interaction(1, (edge,)))) == 3

    def test_a_picture_of_one_colour(self) -> None:
        clip = self.clip(length=3)
        flat = Clip(np.full_like(clip.frames, 127), clip.truth, 1)
        assert len(self.run(self.open(flat), interaction_on(clip, 1))) == 3


class EngineConformance(MaskConformance, InputConformance):
    """All conformance tests. A second suite of the same engine needs those of `MaskConformance` alone, because refusing
    bad input does not depend on weights or options.
    """
