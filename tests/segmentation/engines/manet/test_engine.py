"""Runs on MA-Net the conformance tests that every engine must pass, and tests of MA-Net alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from segmentation import EngineSettings, Interaction, Scribble, create_engine_session
from segmentation.checkpoints import load_network
from segmentation.engines.manet.engine import MANetEngine
from segmentation.frames import ArrayFrames
from tests.segmentation.clips import Clip, interaction_on, make_clip
from tests.segmentation.engine_conformance import EngineConformance, assert_same_updates, past_round
from tests.segmentation.engines.manet.tiny import write_weights


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_weights(tmp_path_factory.mktemp("weights"))


class TestMANet(EngineConformance):
    engine = "manet"
    reads_before_first_mask = 1

    @pytest.fixture(scope="class")
    def configured(self, weights: str) -> None:
        type(self).settings = EngineSettings(device="cpu", weights=weights)

    def session(self, clip: Clip, options: dict[str, Any] | None = None, **settings: Any) -> MANetEngine:
        assert self.settings is not None
        machine = EngineSettings(device="cpu", weights=self.settings.weights, **settings)
        session = create_engine_session(
            self.engine, ArrayFrames(clip.frames), clip.num_objects, machine, **(options or {})
        )
        assert isinstance(session, MANetEngine)
        return session

    def rounds(self, session: MANetEngine, clip: Clip, frames: tuple[int, ...] = (3, 6, 1)) -> list[Any]:
        return [self.run(session, interaction_on(clip, frame)) for frame in frames]

    def test_what_is_cached_where_changes_no_mask(self, tmp_path: Path) -> None:
        clip = make_clip(num_objects=2)
        ample, none = self.session(clip), self.session(clip, memory_bytes=0)
        disk = self.session(clip, memory_bytes=0, cache_dir=str(tmp_path))
        expected = self.rounds(ample, clip)
        for session in (none, disk):
            for kept, other in zip(expected, self.rounds(session, clip), strict=True):
                assert_same_updates(kept, other)
        assert list(tmp_path.iterdir())
        disk.close()
        assert not list(tmp_path.iterdir())

    def test_a_network_that_is_handed_in_serves_as_its_file_does(self, weights: str) -> None:
        clip = make_clip(num_objects=2)
        network = load_network("manet", weights)
        handed = MANetEngine(ArrayFrames(clip.frames), 2, EngineSettings(device="cpu"), network=network)
        for ours, theirs in zip(self.rounds(handed, clip), self.rounds(self.session(clip), clip), strict=True):
            assert_same_updates(ours, theirs)

    def test_frames_that_are_embedded_together_get_the_same_embeddings(self) -> None:
        clip = make_clip()
        alone, together = self.session(clip), self.session(clip)
        together._batch = 3  # frames are embedded in batches, as on a GPU
        for frame in (4, 7, 0):
            torch.testing.assert_close(together._embed(frame), alone._embed(frame), rtol=1e-4, atol=1e-5)
        assert len(together._embeddings) == 3 + 2 + 3  # the last batch of the 8 frames has two

    def test_later_rounds_read_no_frame_again(self) -> None:
        clip = make_clip()
        session = self.session(clip)
        self.run(session, interaction_on(clip, 3))
        session.frames = ArrayFrames(np.zeros_like(clip.frames))  # reading frames again would change the masks
        other = self.session(clip)
        self.run(other, interaction_on(clip, 3))
        second = interaction_on(clip, 5)
        assert_same_updates(self.run(session, second), self.run(other, second))

    @pytest.mark.parametrize(
        "options", [{"window": 1}, {"memory_rounds": 1}, {"global_memory": False}, {"augmented_map": False}]
    )
    def test_each_option_changes_later_rounds(self, options: dict[str, Any]) -> None:
        clip = make_clip(num_objects=2)
        plain, changed = self.session(clip), self.session(clip, options)
        frames = (3, 6, 1, 3)
        ours, theirs = self.rounds(plain, clip, frames), self.rounds(changed, clip, frames)
        assert any(
            a.confidence != b.confidence
            for first, second in zip(ours, theirs, strict=True)
            for a, b in zip(first, second, strict=True)
        )

    def test_no_local_memory_is_one_remembered_round(self) -> None:
        clip = make_clip()
        ours = self.rounds(self.session(clip, {"local_memory": False}), clip)
        theirs = self.rounds(self.session(clip, {"memory_rounds": 1}), clip)
        for a, b in zip(ours, theirs, strict=True):
            assert_same_updates(a, b)

    @pytest.mark.parametrize(
        ("option", "value"), [("window", -1), ("window", 1.5), ("memory_rounds", 0), ("precision", "int3")]
    )
    def test_it_refuses_a_bad_option_by_name(self, option: str, value: object) -> None:
        with pytest.raises(ValueError, match=option):
            self.session(make_clip(), {option: value})

    def test_an_accepted_frame_guides_its_neighbours(self) -> None:
        clip = make_clip()
        free, guided = self.session(clip), self.session(clip)
        guided.lock(5, clip.truth[5])
        ours = {u.frame: u for u in self.run(free, interaction_on(clip, 3))}
        theirs = {u.frame: u for u in self.run(guided, interaction_on(clip, 3))}
        # frame 6 is computed from the accepted mask of frame 5
        assert ours[6].confidence != theirs[6].confidence
        far = torch.ones(2, *guided._size)
        # in other frames, global distances to the pixels of the accepted frame are below 1, the value without any
        assert (guided._with_given(4, far, range(2)) < 1).all()
        assert (free._with_given(4, far, range(2)) == 1).all()

    def test_half_precision_gives_nearly_the_same_embeddings(self) -> None:
        clip = make_clip()
        exact, half = self.session(clip)._embed(3), self.session(clip, {"precision": "bfloat16"})._embed(3)
        assert half.dtype == torch.bfloat16
        assert (half.float() - exact).abs().max() < 0.05 * exact.abs().max()

    def test_half_precision_is_as_repeatable(self) -> None:
        clip = make_clip()
        kept, other = (self.session(clip, {"precision": "bfloat16"}, memory_bytes=m) for m in (1 << 30, 0))
        for a, b in zip(self.rounds(kept, clip), self.rounds(other, clip), strict=True):
            assert_same_updates(a, b)

    def test_a_mask_that_is_accepted_anew_replaces_the_old_one(self) -> None:
        clip = make_clip()
        fresh, changed = self.session(clip), self.session(clip)
        changed.lock(5, np.zeros_like(clip.truth[5]))
        first = interaction_on(clip, 3)
        self.run(changed, first, stop_after=3)
        changed.unlock(5)
        for session in (fresh, changed):
            session.lock(5, clip.truth[5])
        far = torch.ones(2, *fresh._size)
        assert torch.equal(fresh._with_given(2, far, range(2)), changed._with_given(2, far, range(2)))

    def test_a_long_video_stays_within_the_budget(self) -> None:
        clip = make_clip(length=40)
        session = self.session(clip, memory_bytes=200_000)
        for frame in (20, 3):
            assert len(self.run(session, interaction_on(clip, frame))) == 40
        caches = (session._embeddings, session._global_cache, session._local_cache)
        assert 0 < sum(cache.used for cache in caches) <= 200_000

    def test_a_smaller_internal_size_still_gives_masks_of_the_video_size(self) -> None:
        clip = make_clip()
        session = self.session(clip, max_side=40)
        assert all(u.labels.shape == (48, 64) for u in self.run(session, interaction_on(clip, 3)))
        assert session._size == (6, 8)  # for an internal size of 30 x 22 pixels

    def test_a_session_in_the_middle_of_a_long_history_is_restored_exactly(self) -> None:
        clip = make_clip(num_objects=2)
        kept, history = self.session(clip), []
        for frame, stop in ((3, None), (5, 4), (1, None), (6, 2), (2, None)):
            interaction = interaction_on(clip, frame)
            history.append(past_round("manet", interaction, 2, self.run(kept, interaction, stop)))
        rebuilt = self.open(clip, rounds=history)
        last = interaction_on(clip, 4)
        assert_same_updates(self.run(kept, last), self.run(rebuilt, last))

    def test_without_its_option_a_stroke_need_not_win(self) -> None:
        clip = make_clip()
        everywhere = tuple(
            Scribble(1, np.array([[0.0, y], [1.0, y]])) for y in np.linspace(0, 1, 2 * clip.frames.shape[1])
        )
        interaction = Interaction(3, everywhere)
        strict = self.run(self.session(clip), interaction, stop_after=1)[0]
        free = self.run(self.session(clip, {"scribbles_win": False}), interaction, stop_after=1)[0]
        assert (strict.labels == 1).mean() > 0.95
        assert (free.labels != strict.labels).any()
