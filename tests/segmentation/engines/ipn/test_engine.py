"""Runs on IPN the conformance tests that every engine must pass, and tests of IPN alone."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from segmentation import EngineSettings, create_engine_session
from segmentation.checkpoints import load_network, save_checkpoint
from segmentation.engines.ipn.engine import IPNEngine
from segmentation.engines.ipn.fusion import round_weight
from segmentation.engines.ipn.network import Inet, Pnet
from segmentation.frames import ArrayFrames
from segmentation.session.probability_maps import decode
from tests.segmentation.clips import Clip, interaction_on
from tests.segmentation.engine_conformance import EngineConformance, assert_same_updates, past_round
from tests.segmentation.engines.ipn.tiny import TINY, write_weights


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_weights(tmp_path_factory.mktemp("weights"))


class TestIPN(EngineConformance):
    engine = "ipn"
    reads_before_first_mask = 1

    @pytest.fixture(scope="class")
    def configured(self, weights: str) -> None:
        type(self).settings = EngineSettings(device="cpu", weights=weights)

    def session(self, clip: Clip, objects: int | None = None, **options: Any) -> IPNEngine:
        count = objects or clip.num_objects
        session = create_engine_session(self.engine, ArrayFrames(clip.frames), count, self.settings, **options)
        assert isinstance(session, IPNEngine)
        return session

    def test_networks_that_are_handed_in_serve_as_their_files_do(self, weights: str) -> None:
        clip = self.clip(num_objects=2)
        inet, pnet = (load_network(name, weights) for name in ("ipn-inet", "ipn-pnet"))
        assert isinstance(inet, Inet)
        assert isinstance(pnet, Pnet)
        handed = IPNEngine(ArrayFrames(clip.frames), 2, EngineSettings(device="cpu"), networks=(inet, pnet))
        ours, theirs = (self.run(s, interaction_on(clip, 3)) for s in (handed, self.session(clip)))
        assert_same_updates(ours, theirs)

    def test_networks_of_two_sizes_are_refused_with_both_files(self, weights: str, tmp_path: Path) -> None:
        torch.manual_seed(0)
        shutil.copy(Path(weights) / "ipn-inet.safetensors", tmp_path)
        save_checkpoint(tmp_path / "ipn-pnet.safetensors", "ipn-pnet", Pnet(replace(TINY, fusion=16)))
        with pytest.raises(ValueError, match=r"not of one size: .*ipn-inet.safetensors, .*ipn-pnet.safetensors"):
            create_engine_session("ipn", ArrayFrames(self.clip().frames), 1, EngineSettings(weights=str(tmp_path)))

    def test_references_beyond_the_budget_are_made_again_and_are_the_same(self, weights: str) -> None:
        clip = self.clip(num_objects=2)
        found = []
        for budget in (0, 1 << 30):
            settings = EngineSettings(device="cpu", weights=weights, memory_bytes=budget)
            session = create_engine_session("ipn", ArrayFrames(clip.frames), 2, settings)
            assert isinstance(session, IPNEngine)
            found.append([u for frame in (1, 6, 3) for u in self.run(session, interaction_on(clip, frame))])
            session.lock(6, clip.truth[6])  # this makes IPN compute the features of all annotated frames again
            found[-1] += self.run(session, interaction_on(clip, 4))
            assert len(session._references._seen) == (0 if budget == 0 else 4)
        assert_same_updates(*found)

    def test_a_round_ends_at_frames_that_were_annotated_before(self) -> None:
        clip = self.clip()
        session = self.session(clip)
        self.run(session, interaction_on(clip, 2))
        assert sorted(u.frame for u in self.run(session, interaction_on(clip, 6))) == [3, 4, 5, 6, 7]
        assert sorted(u.frame for u in self.run(session, interaction_on(clip, 4))) == [3, 4, 5]

    def test_masks_are_the_weighted_average_of_both_rounds(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The masks of a round are averaged with those of the previous round, as in the paper.

        The authors' demo does not average them, because it uses one array for both by mistake.
        """
        clip = self.clip()
        session = self.session(clip)
        before = {u.frame: decode(u.engine_state or b"", 48, 64) for u in self.run(session, interaction_on(clip, 1))}
        moved = {}
        real = session._fused

        def fused(frame: int, masks: Tensor, *rest: Any) -> Any:
            moved[frame] = masks.numpy()
            return real(frame, masks, *rest)

        monkeypatch.setattr(session, "_fused", fused)
        after = {u.frame: decode(u.engine_state or b"", 48, 64) for u in self.run(session, interaction_on(clip, 5))}
        weight = round_weight(5, [1], self.length)
        assert 0 < weight[3] < 1
        for frame in (2, 3, 4, 7):
            expected = weight[frame] * moved[frame] + (1 - weight[frame]) * before[frame]
            np.testing.assert_allclose(after[frame], expected, atol=1 / 255)

    def test_masks_are_carried_on_unweighted(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Each frame is computed from its neighbour's mask of this round, not from the average with earlier rounds."""
        clip = self.clip()
        session = self.session(clip)
        self.run(session, interaction_on(clip, 0))
        neighbours, moved = {}, {}
        propagate, fused = session._propagate, session._fused

        def seen(frame: int, ids: Any, before: Tensor, neighbour: Tensor) -> Any:
            neighbours[frame] = neighbour.numpy()
            return propagate(frame, ids, before, neighbour)

        def keep(frame: int, masks: Tensor, *rest: Any) -> Any:
            moved[frame] = masks.numpy().copy()
            return fused(frame, masks, *rest)

        monkeypatch.setattr(session, "_propagate", seen)
        monkeypatch.setattr(session, "_fused", keep)
        self.run(session, interaction_on(clip, 6))
        for frame in (4, 3, 2, 1):
            np.testing.assert_array_equal(neighbours[frame], moved[frame + 1])

    def test_the_reference_of_a_later_round_holds_the_earlier_ones(self) -> None:
        clip = self.clip()
        session = self.session(clip)
        self.run(session, interaction_on(clip, 1))
        first = session._references.aggregated(1)
        self.run(session, interaction_on(clip, 5))
        current = session._references._of_record(1, 1)
        with torch.inference_mode():
            expected = session._pnet.SEFA(first[None], current[None])[0]
        torch.testing.assert_close(session._references.aggregated(1), expected)
        assert not torch.allclose(expected, current)

    def test_an_object_added_later_is_not_bounded_by_rounds_before_it(self) -> None:
        clip = self.clip(num_objects=2)
        session = self.session(clip, objects=1)
        self.run(session, interaction_on(clip, 1, (1,)))
        self.run(session, interaction_on(clip, 6, (1,)))
        session.num_objects = 2
        covered = {u.frame for u in self.run(session, interaction_on(clip, 4, (2,)))}
        assert covered == set(range(self.length))

    def test_the_mask_of_an_accepted_frame_is_carried_on(self, monkeypatch: pytest.MonkeyPatch) -> None:
        clip = self.clip()
        session = self.session(clip)
        session.lock(4, clip.truth[4])
        neighbours = {}
        propagate = session._propagate

        def seen(frame: int, ids: Any, before: Tensor, neighbour: Tensor) -> Any:
            neighbours[frame] = neighbour.numpy()
            return propagate(frame, ids, before, neighbour)

        monkeypatch.setattr(session, "_propagate", seen)
        self.run(session, interaction_on(clip, 2))
        np.testing.assert_array_equal(neighbours[5][0], clip.truth[4] == 1)

    def test_accepting_a_drawn_frame_later_is_the_same_as_before_rebuilding(self) -> None:
        clip = self.clip()
        kept = self.session(clip)
        history = [past_round("ipn", interaction_on(clip, 2), 1, self.run(kept, interaction_on(clip, 2)))]
        kept.lock(2, clip.truth[2])
        history.append(past_round("ipn", interaction_on(clip, 4), 1, self.run(kept, interaction_on(clip, 4))))
        rebuilt = self.session(clip)
        rebuilt.restore(history)
        rebuilt.lock(2, clip.truth[2])
        assert_same_updates(self.run(kept, interaction_on(clip, 6)), self.run(rebuilt, interaction_on(clip, 6)))

    def test_half_precision_runs_and_gives_nearly_the_same_masks(self) -> None:
        clip = self.clip()
        sessions = [self.session(clip, precision=p) for p in ("float32", "bfloat16")]
        for frame in (2, 5):
            exact, half = (self.run(session, interaction_on(clip, frame)) for session in sessions)
            assert [u.frame for u in exact] == [u.frame for u in half]
            assert np.mean([(a.labels == b.labels).mean() for a, b in zip(exact, half, strict=True)]) > 0.9
