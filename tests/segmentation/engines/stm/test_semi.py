"""Runs on semi-supervised STM the conformance tests that every engine must pass, and tests of it alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from segmentation import EngineSettings, Interaction, Scribble, create_engine_session
from segmentation.checkpoints import load_network
from segmentation.engines.stm.network import STM
from segmentation.engines.stm.painting import paint
from segmentation.engines.stm.semi import SemiSTMEngine
from segmentation.frames import ArrayFrames
from tests.segmentation.clips import Clip, interaction_on
from tests.segmentation.engine_conformance import EngineConformance, assert_same_updates
from tests.segmentation.engines.stm.tiny import write_weights

SQUARE = np.array([[0.2, 0.2], [0.6, 0.2], [0.6, 0.7], [0.2, 0.7], [0.2, 0.21]])


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_weights(tmp_path_factory.mktemp("weights"))


class TestSemiSTM(EngineConformance):
    engine = "stm-semi"
    reads_before_first_mask = 1

    @pytest.fixture(scope="class")
    def configured(self, weights: str) -> None:
        type(self).settings = EngineSettings(device="cpu", weights=weights)

    def session(self, clip: Clip, **options: Any) -> SemiSTMEngine:
        session = create_engine_session(
            self.engine, ArrayFrames(clip.frames), clip.num_objects, self.settings, **options
        )
        assert isinstance(session, SemiSTMEngine)
        return session

    def test_a_network_that_is_handed_in_serves_as_its_file_does(self, weights: str) -> None:
        clip, network = self.clip(num_objects=2), load_network("stm-semi", weights)
        assert isinstance(network, STM)
        handed = SemiSTMEngine(ArrayFrames(clip.frames), 2, EngineSettings(device="cpu"), network=network)
        ours, theirs = (self.run(s, interaction_on(clip, 3)) for s in (handed, self.session(clip)))
        assert_same_updates(ours, theirs)

    def test_the_mask_of_the_interacted_frame_is_what_was_painted(self) -> None:
        clip = self.clip()
        update = self.run(self.session(clip), Interaction(2, (Scribble(1, SQUARE),)), stop_after=1)[0]
        inside = update.labels[15:30, 16:36]
        assert inside.all()
        assert update.labels.mean() < 0.35
        assert update.confidence == (1.0,)

    def test_given_masks_of_earlier_rounds_stand(self) -> None:
        clip = self.clip()
        session = self.session(clip)
        self.run(session, interaction_on(clip, 2))
        assert 2 not in {u.frame for u in self.run(session, interaction_on(clip, 5))}

    def test_the_memory_rule_of_the_paper(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A frame is computed from a memory of the given frame, every second frame after it, and the previous frame."""
        clip = self.clip()
        session = self.session(clip, every=2)
        real, seen = session._video.segment, {}
        slots: dict[int, int] = {}
        remember = session._memorize

        def memorize(frame: int, masks: Any, ids: Any) -> Any:
            found = remember(frame, masks, ids)
            slots[id(found[1])] = frame
            return found

        def segment(frame: int, memories: Any) -> Any:
            seen[frame] = sorted(slots[id(slot)] for slot in memories[0])
            return real(frame, memories)

        monkeypatch.setattr(session, "_memorize", memorize)
        monkeypatch.setattr(session._video, "segment", segment)
        self.run(session, interaction_on(clip, 1))
        assert seen == {2: [1], 0: [1], 3: [1, 2], 4: [1, 3], 5: [1, 3, 4], 6: [1, 3, 5], 7: [1, 3, 5, 6]}

    def test_accepted_frames_are_carried_on_from(self) -> None:
        clip = self.clip(num_objects=2)
        session = self.session(clip)
        session.lock(5, clip.truth[5])
        updates = self.run(session, interaction_on(clip, 1, (1,)))
        assert session._known_objects() == [1, 2]
        assert 5 not in {u.frame for u in updates}

    def test_an_object_added_later_leaves_given_masks_of_others_alone(self) -> None:
        clip = self.clip(num_objects=2)
        session = create_engine_session(self.engine, ArrayFrames(clip.frames), 1, self.settings)
        first = self.run(session, interaction_on(clip, 2, (1,)))[0]
        session.num_objects = 2
        again = next(u for u in self.run(session, interaction_on(clip, 4, (2,))) if u.frame == 2)
        assert (again.labels[first.labels == 1] == 1).all()

    @pytest.mark.parametrize(("option", "value"), [("every", 0), ("given_frames", -1)])
    def test_it_refuses_options_out_of_range(self, option: str, value: int) -> None:
        with pytest.raises(ValueError, match=option):
            self.session(self.clip(), **{option: value})

    def test_half_precision_runs_and_gives_nearly_the_same_masks(self) -> None:
        clip = self.clip()
        sessions = [self.session(clip, precision=p) for p in ("float32", "bfloat16")]
        for frame in (2, 5):
            exact, half = (self.run(session, interaction_on(clip, frame)) for session in sessions)
            assert [u.frame for u in exact] == [u.frame for u in half]
            assert np.mean([(a.labels == b.labels).mean() for a, b in zip(exact, half, strict=True)]) > 0.9


def test_an_open_stroke_is_not_filled() -> None:
    labels = paint(np.zeros((48, 64), np.uint8), [Scribble(1, SQUARE[:3])])
    assert labels[24, 20] == 0
    assert labels[9, 20] == 1


def test_later_strokes_paint_over_earlier_masks_and_background_erases() -> None:
    before = np.full((48, 64), 2, np.uint8)
    labels = paint(before, [Scribble(1, SQUARE), Scribble(0, np.array([[0.4, 0.4]]))])
    assert before.min() == 2
    assert labels[int(0.4 * 47), int(0.4 * 63)] == 0
    assert labels[10, 15] == 1
    assert labels[47, 63] == 2
