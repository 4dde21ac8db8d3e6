"""Runs on ST-RNN the conformance tests that every engine must pass, and tests of ST-RNN alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from segmentation import EngineSettings, create_engine_session
from segmentation.checkpoints import load_network
from segmentation.engines.strnn.adaptation import SHARPNESS, scores
from segmentation.engines.strnn.engine import ADAPTED, STRNNEngine
from segmentation.frames import ArrayFrames
from segmentation.types import Interaction
from tests.segmentation.clips import Clip, interaction_on, make_clip
from tests.segmentation.engine_conformance import (
    CountingFrames,
    EngineConformance,
    MaskConformance,
    assert_same_updates,
    past_round,
)
from tests.segmentation.engines.strnn.tiny import TINY, write_weights


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_weights(tmp_path_factory.mktemp("weights"))


class STRNNSuite(MaskConformance):
    """The base class of both suites of tests: opens sessions with the tiny weights, and with settings and options of a
    test.
    """

    __test__ = False
    engine = "strnn"
    reads_before_first_mask = TINY.chain  # all frames of a chain up to the drawn frame

    @pytest.fixture(scope="class")
    def configured(self, weights: str) -> None:
        type(self).settings = EngineSettings(device="cpu", weights=weights)

    def session(self, clip: Clip, options: dict[str, Any] | None = None, **settings: Any) -> STRNNEngine:
        assert self.settings is not None
        machine = EngineSettings(device="cpu", weights=self.settings.weights, **settings)
        frames = CountingFrames(clip.frames)
        session = create_engine_session(self.engine, frames, clip.num_objects, machine, **(options or {}))
        assert isinstance(session, STRNNEngine)
        return session


class TestSTRNN(STRNNSuite, EngineConformance):
    __test__ = True

    def test_what_is_cached_where_changes_no_mask(self, tmp_path: Path) -> None:
        clip = make_clip(num_objects=2)
        sessions = [
            self.session(clip),
            self.session(clip, memory_bytes=0),
            self.session(clip, memory_bytes=0, cache_dir=str(tmp_path)),
        ]
        for frame in (3, 6, 1):
            kept, *others = (self.run(session, interaction_on(clip, frame)) for session in sessions)
            for other in others:
                assert_same_updates(kept, other)

    def test_a_network_that_is_handed_in_serves_as_its_file_does(self, weights: str) -> None:
        clip = make_clip()
        network = load_network("strnn", weights)
        handed = STRNNEngine(ArrayFrames(clip.frames), 1, EngineSettings(device="cpu"), network=network)
        ours, theirs = (self.run(s, interaction_on(clip, 3)) for s in (handed, self.session(clip)))
        assert_same_updates(ours, theirs)

    def test_frames_are_read_once_for_all_rounds(self) -> None:
        clip = make_clip()
        session = self.session(clip)
        for frame in (5, 2):
            self.run(session, interaction_on(clip, frame))
        assert isinstance(session.frames, CountingFrames)
        assert sorted(session.frames.read) == list(range(self.length))

    def test_chains_to_both_sides_are_gone_on_with_in_turns(self) -> None:
        """Each frame is read once, although propagation alternates between frames before and after the drawn one."""
        clip = make_clip(length=24)
        session = self.session(clip)
        self.run(session, interaction_on(clip, 9))
        assert isinstance(session.frames, CountingFrames)
        assert sorted(session.frames.read) == list(range(24))

    def test_scores_are_the_mean_of_both_models(self, tmp_path: Path) -> None:
        """The scores of a frame are the mean of the scores of ST-RNN's two models (ResNet and Xception)."""
        clip = make_clip()
        session = self.session(clip)
        self.run(session, interaction_on(clip, 3))
        weights = session._solve([0, 1])
        found = session._scores(4, weights)
        resnet, xception = (scores(w, y) for w, y in zip(weights, session._outputs.get(4), strict=True))
        assert not torch.allclose(resnet, xception)
        torch.testing.assert_close(found, (resnet + xception) / 2)

    def test_a_model_alone_works_too(self, tmp_path: Path) -> None:
        path = write_weights(tmp_path, replace(TINY, branches=TINY.branches[:1], refinement=None))
        clip = make_clip()
        settings = EngineSettings(device="cpu", weights=path)
        session = create_engine_session("strnn", ArrayFrames(clip.frames), 1, settings, refine_from=1)
        assert len(self.run(session, interaction_on(clip, 3))) == self.length

    def test_corrections_of_all_rounds_are_kept_as_samples(self) -> None:
        clip = make_clip(num_objects=2)
        session = self.session(clip)
        for frame in (3, 6):
            self.run(session, interaction_on(clip, frame))
        first, second = session._samples_of(0)[0], session._samples_of(1)[0]
        assert set(first.ids.tolist()) == {0, 1, 2}
        assert len(second.ids) > 0
        assert (first.ids == 0).sum() == (first.ids > 0).sum()

    def test_another_seed_draws_other_samples(self) -> None:
        clip = make_clip()
        one, two = self.session(clip), self.session(clip, seed=1)
        ours, theirs = (self.run(s, interaction_on(clip, 3)) for s in (one, two))
        assert [u.confidence for u in ours] != [u.confidence for u in theirs]

    def test_an_accepted_frame_gives_samples(self) -> None:
        clip = make_clip()
        free, guided = self.session(clip), self.session(clip)
        guided.lock(5, clip.truth[5])
        ours, theirs = (self.run(s, interaction_on(clip, 3)) for s in (free, guided))
        assert ours[0].confidence != theirs[0].confidence

    def test_an_object_of_its_own_colour_is_found_in_other_frames(self) -> None:
        """After one scribble, an object with its own colour is found in other frames.

        The network has random weights, but its features distinguish colours.
        """
        clip = make_clip(num_objects=1)
        updates = {u.frame: u.labels == 1 for u in self.run(self.session(clip), interaction_on(clip, 3))}
        truth = {t: clip.truth[t] == 1 for t in updates}
        overlap = [(updates[t] & truth[t]).sum() / (updates[t] | truth[t]).sum() for t in (2, 4, 5)]
        assert np.mean(overlap) > 0.3

    @pytest.mark.parametrize(("option", "value"), [("ridge", 0.0), ("refine_from", -1), ("precision", "int3")])
    def test_it_refuses_a_bad_option_by_name(self, option: str, value: object) -> None:
        with pytest.raises(ValueError, match=option):
            self.session(make_clip(), {option: value})


class TestRefinedRound(STRNNSuite):
    """ST-RNN in which the network RGMP propagates masks from the second round on, as the option `refine_from` says."""

    __test__ = True
    options = {"refine_from": 2}

    def test_the_last_round_starts_from_every_annotated_frame(self) -> None:
        clip = make_clip(length=9)
        session = self.session(clip, {"refine_from": 2})
        self.run(session, interaction_on(clip, 1))
        updates = self.run(session, interaction_on(clip, 6))
        assert [u.frame for u in updates] == [6, 1, 7, 8, 5, 4, 3, 2, 0]

    def test_it_asks_whether_to_stop_where_nothing_can_be_shown_yet(self) -> None:
        clip = make_clip(length=9)
        kept = self.session(clip, {"refine_from": 2})
        first = self.run(kept, interaction_on(clip, 0))
        asked: list[int] = []

        def stopping() -> bool:
            asked.append(len(asked))
            return len(asked) == 3

        kept.stopping = stopping
        cut = self.run(kept, interaction_on(clip, 8))  # none of frames 1 to 7 is yielded before seven steps
        assert [u.frame for u in cut] == [8, 0]
        assert len(asked) == 3
        kept.stopping = lambda: False
        pasts = [past_round("strnn", interaction_on(clip, f), 1, u) for f, u in ((0, first), (8, cut))]
        rebuilt = self.open(clip, 1, pasts)
        assert_same_updates(*(self.run(s, interaction_on(clip, 4)) for s in (kept, rebuilt)))

    def test_frames_between_are_propagated_not_classified(self) -> None:
        clip = make_clip()
        refined, plain = self.session(clip, {"refine_from": 2}), self.session(clip, {"refine_from": 0})
        for session in (refined, plain):
            self.run(session, interaction_on(clip, 1))
        ours = {u.frame: u for u in self.run(refined, interaction_on(clip, 6))}
        theirs = {u.frame: u for u in self.run(plain, interaction_on(clip, 6))}
        assert ours[6].confidence == theirs[6].confidence
        assert all(ours[t].confidence != theirs[t].confidence for t in (0, 3, 5, 7))

    def test_an_object_that_no_start_shows_is_found_by_adaptation_alone(self) -> None:
        clip = make_clip(length=6)
        session = self.session(clip, {"refine_from": 1})
        first = Interaction(0, interaction_on(clip, 0).scribbles)
        session.lock(0, np.where(clip.truth[0] == 2, 0, clip.truth[0]).astype(np.uint8))
        carried, shown = torch.tensor([0.9, 0.1, 0.0])[:, None, None].expand(3, 4, 4), [2]
        assert isinstance(session, STRNNEngine)
        self.run(session, first)
        weights = session._solve([0, 1, 2])
        found = session._blended(3, carried, weights, shown)
        said = torch.softmax(SHARPNESS * session._scores(3, weights), dim=0)[2].mean()
        # the object was not propagated, so that only the regression's score of it counts
        assert float(found[2].mean()) > ADAPTED * float(said)
        torch.testing.assert_close(found[0], session._blended(3, carried, weights, [])[0])

    def test_an_accepted_frame_is_a_start_too(self) -> None:
        clip = make_clip(length=9)
        session = self.session(clip, {"refine_from": 2})
        self.run(session, interaction_on(clip, 0))
        session.lock(8, clip.truth[8])
        frames = [u.frame for u in self.run(session, interaction_on(clip, 4))]
        assert frames.index(7) > frames.index(5)
        assert sorted(frames) == list(range(8))
