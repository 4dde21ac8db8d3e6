"""Runs on interactive STM the conformance tests that every engine must pass, and tests of interactive STM alone."""

from __future__ import annotations

import numpy as np
import pytest

from segmentation import EngineSettings, Interaction, Scribble, create_engine_session
from segmentation.checkpoints import load_network
from segmentation.engines.stm.engine import InteractiveSTMEngine
from segmentation.engines.stm.network import InteractiveSTM
from segmentation.frames import ArrayFrames
from tests.segmentation.clips import interaction_on, make_clip
from tests.segmentation.engine_conformance import EngineConformance, assert_same_updates, past_round
from tests.segmentation.engines.stm.tiny import write_weights


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_weights(tmp_path_factory.mktemp("weights"))


class TestInteractiveSTM(EngineConformance):
    engine = "stm"
    reads_before_first_mask = 1

    @pytest.fixture(scope="class")
    def configured(self, weights: str) -> None:
        type(self).settings = EngineSettings(device="cpu", weights=weights)

    def session(self, objects: int = 1, **changes: object) -> InteractiveSTMEngine:
        clip = make_clip(num_objects=objects)
        settings = EngineSettings(device="cpu", weights=self.settings.weights, **changes)  # type: ignore[union-attr,arg-type]
        session = create_engine_session(self.engine, ArrayFrames(clip.frames), objects, settings)
        assert isinstance(session, InteractiveSTMEngine)
        return session

    def test_a_network_that_is_handed_in_serves_as_its_file_does(self, weights: str) -> None:
        clip, network = make_clip(num_objects=2), load_network("stm", weights)
        assert isinstance(network, InteractiveSTM)
        handed = InteractiveSTMEngine(ArrayFrames(clip.frames), 2, EngineSettings(device="cpu"), network=network)
        ours, theirs = (self.run(s, interaction_on(clip, 3)) for s in (handed, self.session(2)))
        assert_same_updates(ours, theirs)

    def test_every_frame_is_a_query_of_its_own(self) -> None:
        """A frame's mask depends only on the memory of annotated frames, not on the frames segmented before it."""
        clip = self.clip()
        updates = {u.frame: u for u in self.run(self.open(clip), interaction_on(clip, 0))}
        order = list(range(self.length))[::-1]
        session = create_engine_session(self.engine, ArrayFrames(clip.frames[order]), 1, self.settings)
        turned = {u.frame: u for u in self.run(session, Interaction(7, interaction_on(clip, 0).scribbles))}
        for frame in range(self.length):
            np.testing.assert_array_equal(updates[frame].labels, turned[7 - frame].labels)

    def test_a_frame_that_is_drawn_on_again_keeps_one_place_in_the_memory(self) -> None:
        clip, session = make_clip(), self.session()
        for frame in (2, 4, 2):
            self.run(session, interaction_on(clip, frame))
        assert session._records_in_memory(1) == [1, 2]

    def test_the_memory_stays_within_its_budget(self) -> None:
        clip, session = make_clip(), self.session(memory_bytes=1)
        for frame in range(5):
            self.run(session, interaction_on(clip, frame), stop_after=1)
        assert len(session._slots) == 2

    def test_what_is_cached_changes_no_mask(self) -> None:
        clip = make_clip()
        with_cache, without = self.session(), self.session(memory_bytes=0)
        for frame in (2, 5):
            interaction = interaction_on(clip, frame)
            kept, fresh = self.run(with_cache, interaction), self.run(without, interaction)
            for a, b in zip(kept, fresh, strict=True):
                np.testing.assert_array_equal(a.labels, b.labels)

    def test_queries_are_encoded_once_for_all_rounds(self, monkeypatch: pytest.MonkeyPatch) -> None:
        clip, session = make_clip(), self.session()
        encoded = []
        network = session._video._network
        real = network.encode_queries
        monkeypatch.setattr(network, "encode_queries", lambda frames: encoded.append(1) or real(frames))
        self.run(session, interaction_on(clip, 2))
        self.run(session, interaction_on(clip, 5))
        assert len(encoded) == len(clip.frames)

    @pytest.mark.parametrize("memory_bytes", [0, 1 << 30])
    def test_frames_may_be_encoded_in_blocks(self, memory_bytes: int) -> None:
        """With frames that are encoded in blocks, as on a GPU, masks are nearly the same, and few blocks are kept."""
        clip = make_clip()
        single, blocks = self.session(memory_bytes=memory_bytes), self.session(memory_bytes=memory_bytes)
        blocks._video._block = 3
        for frame in (4, 1):
            interaction = interaction_on(clip, frame)
            for a, b in zip(self.run(single, interaction), self.run(blocks, interaction), strict=True):
                assert (a.labels == b.labels).mean() > 0.99
        assert len(blocks._video._at_hand) <= 2

    def test_accepted_frames_are_memory_also_of_objects_that_nobody_drew(self) -> None:
        clip, session = make_clip(num_objects=2), self.session(objects=2)
        session.lock(6, clip.truth[6])
        self.run(session, interaction_on(clip, 2, (1,)))
        assert session._known_objects() == [1, 2]
        assert len(session._memory_for(5, [1, 2])[2]) == 1

    def test_accepting_a_drawn_frame_later_is_the_same_as_before_rebuilding(self) -> None:
        clip = make_clip()
        kept = self.session()
        history = [past_round("stm", interaction_on(clip, 2), 1, self.run(kept, interaction_on(clip, 2)))]
        kept.lock(2, clip.truth[2])
        history.append(past_round("stm", interaction_on(clip, 4), 1, self.run(kept, interaction_on(clip, 4))))
        rebuilt = self.session()
        rebuilt.restore(history)
        rebuilt.lock(2, clip.truth[2])
        assert_same_updates(self.run(kept, interaction_on(clip, 6)), self.run(rebuilt, interaction_on(clip, 6)))

    def test_masks_come_at_the_video_size_from_a_smaller_inside(self) -> None:
        clip, session = make_clip(), self.session(max_side=32)
        assert max(session._video.size) == 32
        assert self.run(session, interaction_on(clip, 2))[3].labels.shape == (48, 64)

    def test_it_refuses_a_negative_number_of_given_frames(self) -> None:
        with pytest.raises(ValueError, match="given_frames"):
            create_engine_session("stm", ArrayFrames(make_clip().frames), 1, self.settings, given_frames=-1)

    def test_a_stroke_of_the_background_alone_on_a_known_object_is_negative(self) -> None:
        clip, session = make_clip(), self.session()
        self.run(session, interaction_on(clip, 2))
        before = session._video.segment(5, [session._memory_for(5, [1])[1]])
        self.run(session, Interaction(4, (Scribble(0, np.array([[0.1, 0.1], [0.9, 0.1]])),)))
        after = session._video.segment(5, [session._memory_for(5, [1])[1]])
        assert not np.allclose(before, after)

    def test_half_precision_runs_and_gives_nearly_the_same_masks(self) -> None:
        clip = self.clip()
        sessions = [
            create_engine_session("stm", ArrayFrames(clip.frames), 1, self.settings, precision=p)
            for p in ("float32", "bfloat16")
        ]
        for frame in (2, 5):
            exact, half = (self.run(session, interaction_on(clip, frame)) for session in sessions)
            assert [u.frame for u in exact] == [u.frame for u in half]
            assert np.mean([(a.labels == b.labels).mean() for a, b in zip(exact, half, strict=True)]) > 0.9
