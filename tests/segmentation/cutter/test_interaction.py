"""Tests engines whose drawn frames are segmented by STAR's cutter instead of by their own networks.

The conformance tests that every engine must pass run on this combination, and there are some tests of its own
behaviour.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from segmentation import EngineSettings, Interaction, PastRound, Scribble, create_engine_session
from segmentation.checkpoints import save_checkpoint
from segmentation.classical import interacted_frame
from segmentation.cutter.interaction import CutterInteraction
from segmentation.cutter.refinement import RefinementNet, RefinementNetConfig
from segmentation.engines.stm.engine import InteractiveSTMEngine
from segmentation.frames import ArrayFrames
from segmentation.types import LabelMap
from segmentation.weights import CUTTER, uses_cutter, weights_label, weights_ready
from tests.segmentation.clips import Clip, interaction_on, make_clip
from tests.segmentation.engine_conformance import EngineConformance, MaskConformance, assert_same_updates, past_round
from tests.segmentation.engines.ipn import tiny as ipn
from tests.segmentation.engines.stm import tiny as stm

# The cutter has random weights, so that its masks are nearly those of GrabCut, which it refines.
CUTTER_CONFIG = RefinementNetConfig(widths=(2, 2, 2, 2, 2, 2), skip=2)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("weights")
    stm.write_weights(folder)
    ipn.write_weights(folder)
    return str(folder)


class Drawn(MaskConformance):
    __test__ = False
    reads_before_first_mask = 3

    @pytest.fixture(scope="class")
    def configured(self, weights: str) -> None:
        type(self).settings = EngineSettings(device="cpu", weights=weights)

    def open(self, clip: Clip, num_objects: int | None = None, rounds: Sequence[PastRound] = ()) -> CutterInteraction:
        objects = num_objects or clip.num_objects
        frames = ArrayFrames(clip.frames)
        inner = create_engine_session(self.engine, frames, objects, self.settings, interaction="own")
        torch.manual_seed(3)
        cutter = RefinementNet(CUTTER_CONFIG).eval()
        session = CutterInteraction(frames, objects, self.settings, inner=inner, cutter=cutter)
        session.restore(rounds)
        return session

    def test_an_annotated_frame_keeps_what_was_drawn(self) -> None:
        clip = self.clip()
        session = self.open(clip)
        self.run(session, interaction_on(clip, 2))
        later = self.run(session, interaction_on(clip, 5))
        assert 2 not in {u.frame for u in later}
        again = self.run(session, interaction_on(clip, 2))
        assert again[0].frame == 2

    def test_only_a_frame_that_nobody_drew_on_changes_far_from_its_scribble(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        clip = self.clip()
        session = self.open(clip)
        self.run(session, interaction_on(clip, 2))
        free: list[Collection[int]] = []

        def note_free(before: LabelMap, after: LabelMap, *arguments: Any) -> LabelMap:
            free.append(arguments[3])
            return after

        monkeypatch.setattr(interacted_frame, "with_asked_changes", note_free)
        self.run(session, interaction_on(clip, 5))
        self.run(session, interaction_on(clip, 5))
        self.run(session, interaction_on(clip, 2))
        assert free == [(0, 1), (), ()]

    def test_an_imported_mask_changes_only_where_its_scribble_asks(self, monkeypatch: pytest.MonkeyPatch) -> None:
        clip = self.clip()
        imported = PastRound("", (), clip.num_objects, dict(enumerate(clip.truth)))
        session = self.open(clip, rounds=[imported])
        free: list[Collection[int]] = []

        def note_free(before: LabelMap, after: LabelMap, *arguments: Any) -> LabelMap:
            free.append(arguments[3])
            return after

        monkeypatch.setattr(interacted_frame, "with_asked_changes", note_free)
        self.run(session, interaction_on(clip, 3))
        assert free == [()]

    def test_the_engine_behind_it_is_given_what_was_drawn(self) -> None:
        clip = self.clip()
        session = self.open(clip)
        (first, *_) = self.run(session, interaction_on(clip, 2))
        np.testing.assert_array_equal(session._inner.locked[2], first.labels)

    def test_a_frame_from_before_an_object_was_known_is_the_engines_again(self) -> None:
        clip = self.clip(num_objects=2)
        session = self.open(clip)
        self.run(session, interaction_on(clip, 2, (1,)))
        updates = self.run(session, interaction_on(clip, 5, (2,)))
        assert 2 in {u.frame for u in updates}
        assert set(session._inner.locked) == {5}

    def test_an_accepted_mask_goes_before_what_was_drawn_and_gives_way_to_it(self) -> None:
        clip = self.clip()
        session = self.open(clip)
        (first, *_) = self.run(session, interaction_on(clip, 2))
        session.lock(2, clip.truth[2])
        np.testing.assert_array_equal(session._inner.locked[2], clip.truth[2])
        session.unlock(2)
        np.testing.assert_array_equal(session._inner.locked[2], first.labels)

    def test_what_was_drawn_on_an_accepted_frame_counts_after_a_rebuild(self) -> None:
        clip = self.clip(num_objects=2)
        sessions, history = [self.open(clip)], []
        sessions[0].lock(2, clip.truth[2])
        for frame, ids in ((2, (1,)), (5, (2,))):
            interaction = interaction_on(clip, frame, ids)
            history.append(past_round(self.engine, interaction, 2, self.run(sessions[0], interaction)))
        sessions.append(self.open(clip, rounds=history))
        sessions[1].lock(2, clip.truth[2])
        third = interaction_on(clip, 4)
        assert_same_updates(*(self.run(session, third) for session in sessions))

    def test_every_frame_may_be_accepted(self) -> None:
        clip = self.clip(length=3)
        session = self.open(clip)
        for frame in range(3):
            session.lock(frame, clip.truth[frame])
        assert self.run(session, interaction_on(clip, 1)) == []

    def test_an_object_whose_first_round_was_stopped_at_once_is_found_in_the_next(self) -> None:
        """The first round is stopped after its first mask, as happens when a user draws two scribbles quickly.

        A later round computes the object in the frame that the second round was drawn on.
        """
        clip = self.clip(num_objects=2)
        session, history = self.open(clip), []
        for frame, ids, stop_after in ((2, (1,), 1), (4, (2,), None)):
            interaction = interaction_on(clip, frame, ids)
            history.append(past_round(self.engine, interaction, 2, self.run(session, interaction, stop_after)))
        assert 1 in session._inner._known_objects()  # type: ignore[attr-defined]
        # The first round stopped before frame 4, and only object 2 was drawn there in the second one. So the third
        # round is the first one that segments object 1 in frame 4.
        later = interaction_on(clip, 0)
        rebuilt = self.open(clip, rounds=history)
        updates = self.run(session, later)
        assert 4 in {u.frame for u in updates}
        assert_same_updates(updates, self.run(rebuilt, later))

    def test_what_another_engine_made_of_an_annotated_frame_is_held(self) -> None:
        clip = self.clip(num_objects=2)
        first = interaction_on(clip, 2)
        kept = self.open(clip)
        history = [past_round(self.engine, first, 2, self.run(kept, first))]
        history.append(PastRound("another", (interaction_on(clip, 5),), 2, {t: clip.truth[t] for t in range(8)}))
        kept.restore(history[1:])
        np.testing.assert_array_equal(kept._inner.locked[2], clip.truth[2])
        third = interaction_on(clip, 0)
        assert_same_updates(self.run(kept, third), self.run(self.open(clip, rounds=history), third))


class TestDrawnSTM(Drawn, EngineConformance):
    __test__ = True
    engine = "stm"


class TestDrawnIPN(Drawn):
    __test__ = True
    engine = "ipn"


class TestChoice:
    """A published system with the small weights that ship leaves the frames that people draw on to the cutter, the
    network that is trained to segment a frame from scribbles. With other weights the system segments them itself.
    """

    frames = ArrayFrames(make_clip(length=2).frames)

    def test_the_weights_that_ship_leave_drawing_to_the_cutter(self) -> None:
        session = create_engine_session("stm", self.frames, 1, EngineSettings(device="cpu"))
        assert isinstance(session, CutterInteraction)
        assert session.name == "stm"
        session.close()

    def test_named_weights_draw_themselves(self, weights: str) -> None:
        settings = EngineSettings(device="cpu", weights=weights)
        assert isinstance(create_engine_session("stm", self.frames, 1, settings), InteractiveSTMEngine)
        assert isinstance(
            create_engine_session("stm", self.frames, 1, settings, interaction="cutter"), CutterInteraction
        )

    def test_a_persons_weights_draw_themselves(self, weights: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("MASKWRIGHT_WEIGHTS", weights)
        assert not uses_cutter("stm")
        assert uses_cutter("manet")
        assert "+" not in weights_label("stm")

    def test_the_caller_may_choose_who_segments_the_drawn_frame(self) -> None:
        settings = EngineSettings(device="cpu")
        assert isinstance(
            create_engine_session("stm", self.frames, 1, settings, interaction="own"), InteractiveSTMEngine
        )
        with pytest.raises(ValueError, match="interaction: expected one of auto, own, cutter"):
            create_engine_session("stm", self.frames, 1, settings, interaction="mine")

    @pytest.mark.parametrize("engine", ["star", "flow", "stm-semi"])
    def test_engines_that_draw_well_or_read_no_scribbles_are_left_alone(self, engine: str) -> None:
        assert not uses_cutter(engine)
        if weights_ready(engine):
            with pytest.raises(ValueError, match=r"options.*interaction"):
                create_engine_session(engine, self.frames, 1, EngineSettings(device="cpu"), interaction="cutter")

    def test_rounds_say_that_the_cutter_had_a_hand_in_them(self) -> None:
        assert weights_label("manet").count("+") == 1
        assert weights_label("ipn").count("+") == 2


def test_the_cutter_that_a_person_brought_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_checkpoint(tmp_path / f"{CUTTER}.safetensors", CUTTER, RefinementNet(CUTTER_CONFIG))
    monkeypatch.setenv("MASKWRIGHT_WEIGHTS", str(tmp_path))
    session = create_engine_session("manet", ArrayFrames(make_clip(length=2).frames), 1, EngineSettings(device="cpu"))
    assert isinstance(session, CutterInteraction)
    assert session._cutter.config == CUTTER_CONFIG
    scribble = Scribble(1, np.array([[0.4, 0.4], [0.6, 0.6]]))
    assert len(list(session.run_round(Interaction(0, (scribble,))))) == 2
