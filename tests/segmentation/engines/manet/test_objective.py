"""Tests the training of MA-Net in its two stages, for example which parameters get gradients in each."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from segmentation.engines.manet.network import MANet, MANetConfig
from segmentation.engines.manet.objective import Objective
from segmentation.training.objectives.configs import read_config
from segmentation.training.plan import load_plan, parse_plan
from segmentation.training.sources import Sources
from tests.segmentation.training.training_steps import learn, make_clips

PLAN = """
engine = "manet"
seed = 3
steps = 4
learning_rate = 1e-3
weight_decay = 0.01
warmup = 2
average = 0.9
clip_gradient = 1.0
[network]
embedding = 8
head_width = 8
head_kernel = 3
window = 2
frame_size = [32, 57]
[network.deeplab]
rates = [1, 2]
width = 8
low_width = 4
[network.deeplab.backbone]
kind = "ResNetConfig"
blocks = [1, 1]
strides = [1, 2]
width = 4
expansion = 2
[[stages]]
until = 1.0
batch = 2
clips = { frames = 3, height = 32, width = 48, max_objects = 2 }
"""
CLIPS = parse_plan(PLAN).stages[0].clips
LEARNS = {
    "propagation": ("feature_extracter.", "seperate_conv.", "bn1.", "embedding_conv.", "bn2.", "dynamic_seghead."),
    "interaction": ("inter_seghead.",),
}


def start(**options: Any) -> Objective:
    torch.manual_seed(0)
    return Objective(parse_plan(PLAN), torch.device("cpu"), **options)


@pytest.mark.parametrize("stage", LEARNS)
def test_gradients_reach_what_a_stage_teaches_and_nothing_else(sources: Sources, stage: str) -> None:
    objective = start(stage=stage, scribbled=0.5, damaged=0.5)
    before = {key: value.clone() for key, value in objective.network.state_dict().items()}
    loss, figures = objective.loss(make_clips(objective, sources, CLIPS, 2), np.random.default_rng(0))
    loss.backward()
    assert torch.isfinite(loss)
    assert all(0 <= value <= 1 for value in figures.values())
    for name, parameter in objective.network.named_parameters():
        learns = name.startswith(LEARNS[stage])
        assert (parameter.grad is not None) == learns, name
        assert not learns or parameter.grad.abs().sum() > 0, name  # type: ignore[union-attr]
    for key, value in objective.network.state_dict().items():  # batch norms of fixed parts keep their statistics
        changed = not torch.equal(value, before[key])
        semantic = key.startswith("semantic_embedding.")  # each layer of the embedding has two keys
        assert changed <= (key.startswith(LEARNS[stage]) or (semantic and stage == "propagation")), key


@pytest.mark.parametrize("stage", LEARNS)
def test_a_clip_is_learned_by_heart(sources: Sources, stage: str) -> None:
    objective = start(stage=stage, keep=1.0, overlap=1.0)
    losses = learn(objective, make_clips(objective, sources, CLIPS, 1), 30, rate=2e-2)
    assert np.mean(losses[-5:]) < 0.8 * losses[0]


@pytest.mark.parametrize("stage", LEARNS)
def test_validation_opens_the_engine(sources: Sources, stage: str) -> None:
    objective = start(stage=stage)
    figures = objective.validate(objective.network.eval(), sources)
    assert set(figures) >= {"score", "round_1"}
    assert all(0 <= value <= 1 for value in figures.values())


def test_a_clip_of_one_frame_is_corrected_where_it_is(sources: Sources) -> None:
    objective = start(stage="interaction")
    clips = make_clips(objective, sources, replace(CLIPS, frames=1), 2)
    _, figures = objective.loss(clips, np.random.default_rng(0))
    assert set(figures) == {"j_round_1", "j_round_2", "j_round_3"}


def test_an_unknown_stage_or_size_is_named() -> None:
    with pytest.raises(ValueError, match="known are propagation, interaction"):
        start(stage="attention")
    plan = parse_plan(PLAN)
    with pytest.raises(ValueError, match=r"network: MANetConfig has no depth"):
        Objective(replace(plan, network={**plan.network, "depth": 3}), torch.device("cpu"))


@pytest.mark.parametrize("name", ["compact", "paper"])
def test_both_stages_of_a_plan_have_the_same_network(name: str) -> None:
    first, second = (load_plan("manet", config) for config in (name, f"{name}-interaction"))
    config = read_config(MANetConfig, first.network)
    assert read_config(MANetConfig, second.network) == config
    assert [first.objective["stage"], second.objective["stage"]] == ["propagation", "interaction"]
    with torch.device("meta"):
        size = sum(parameter.numel() for parameter in MANet(config).parameters())
    assert size < 3e6 if name == "compact" else size == 59_910_770
