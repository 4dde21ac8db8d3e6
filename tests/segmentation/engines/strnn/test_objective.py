"""Tests the training of ST-RNN: its three stages, which parameters each of them changes, the loss, and validation."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from segmentation.checkpoints import save_checkpoint
from segmentation.engines.strnn import objective as module
from segmentation.engines.strnn.adaptation import solve
from segmentation.engines.strnn.network import STRNN, STRNNConfig
from segmentation.engines.strnn.objective import ALPHA, Objective, branches_of, ratio_of
from segmentation.training.loop import start_from
from segmentation.training.objectives.configs import read_config
from segmentation.training.plan import load_plan, parse_plan
from segmentation.training.sources import Sources
from tests.segmentation.training.training_steps import learn, make_clips

PLAN = """
engine = "strnn"
seed = 3
steps = 4
learning_rate = 1e-3
weight_decay = 0.01
warmup = 2
average = 0.9
clip_gradient = 1.0
[network]
frame_size = [32, 57]
chain = 4
[[network.branches]]
hidden = 6
outputs = 8
[network.branches.body]
kind = "DeepLabConfig"
rates = [1, 2]
width = 8
low_width = 4
[network.branches.body.backbone]
kind = "XceptionConfig"
stem = [4, 8]
entry = [8, 8]
middle_blocks = 1
exit = [8, 8, 8]
tail = [8]
[network.refinement]
kind = "RefinementConfig"
width = 8
kernel = 3
body = { blocks = [1, 1], strides = [1, 2], width = 4, expansion = 2 }
[[stages]]
until = 1.0
batch = 2
clips = { frames = 3, height = 32, width = 48, max_objects = 2 }
"""
CLIPS = parse_plan(PLAN).stages[0].clips
LEARNS = {"features": "branches.", "time": "branches.0.rnn.", "refinement": "refinement."}
# Parameters whose gradient is zero: this bias adds the same to all features, which changes neither distances nor a
# regression with intercept.
NEVER = ("branches.0.rnn.c",)


def start(**options: Any) -> Objective:
    torch.manual_seed(0)
    return Objective(parse_plan(PLAN), torch.device("cpu"), **options)


def test_cells_of_a_mask_that_is_given_are_samples(sources: Sources, monkeypatch: pytest.MonkeyPatch) -> None:
    counts: dict[float, int] = {}
    for given in (0.0, 1.0):
        seen: list[int] = []
        monkeypatch.setattr(
            module,
            "solve",
            lambda samples, ids, seen=seen: seen.append(len(samples.ids)) or solve(samples, ids),
        )
        objective = start(adapted=1.0, overlap=1.0, given_masks=given)
        objective.loss(make_clips(objective, sources, CLIPS, 1), np.random.default_rng(0))
        counts[given] = seen[0]
    assert counts[1.0] > counts[0.0]


@pytest.mark.parametrize("stage", LEARNS)
def test_gradients_reach_what_a_stage_teaches_and_nothing_else(sources: Sources, stage: str) -> None:
    objective = start(stage=stage, adapted=1.0, overlap=1.0, damaged=0.5)
    before = {key: value.clone() for key, value in objective.network.state_dict().items()}
    loss, figures = objective.loss(make_clips(objective, sources, CLIPS, 2), np.random.default_rng(0))
    loss.backward()
    assert torch.isfinite(loss)
    assert all(np.isfinite(value) for value in figures.values())
    for name, parameter in objective.network.named_parameters():
        learns = name.startswith(LEARNS[stage]) and not (stage == "features" and name.endswith("Kt"))
        assert (parameter.grad is not None) == learns, name
        assert not learns or name in NEVER or parameter.grad.abs().sum() > 0, name  # type: ignore[union-attr]
    for key, value in objective.network.state_dict().items():  # batch norms of fixed parts keep their statistics
        assert key.startswith(LEARNS[stage]) or torch.equal(value, before[key]), key


@pytest.mark.parametrize("stage", LEARNS)
def test_a_clip_is_learned_by_heart(sources: Sources, stage: str) -> None:
    objective = start(stage=stage, adapted=1.0, overlap=1.0, keep=1.0)
    losses = learn(objective, make_clips(objective, sources, CLIPS, 1), 30, rate=1e-2)
    assert np.mean(losses[-5:]) < 0.8 * np.mean(losses[:5])


@pytest.mark.parametrize("stage", LEARNS)
def test_validation_opens_the_engine(sources: Sources, stage: str) -> None:
    objective = start(stage=stage)
    figures = objective.validate(objective.network.eval(), sources)
    assert set(figures) == {"score", "round_1", "round_2", "round_3"}
    assert all(0 <= value <= 1 for value in figures.values())
    assert stage != "refinement" or figures["score"] == figures["round_3"]


def test_without_temporal_links_a_frame_does_not_depend_on_the_one_before() -> None:
    (branch,) = branches_of(start(stage="features").network.eval())  # type: ignore[arg-type]
    images = torch.rand(2, 3, 32, 48)
    with torch.no_grad():
        alone, state = branch(images[:1])
        after, _ = branch(images[:1], branch(images[1:])[1])
    torch.testing.assert_close(after, alone)
    assert state is not None


def test_the_ratio_is_equation_4() -> None:
    anchors, positives, negatives = torch.rand(5, 3), torch.rand(4, 3), torch.rand(6, 3)
    near, far = (
        torch.stack([torch.stack([(a - q).square().sum() for q in pool]).min() for a in anchors])
        for pool in (positives, negatives)
    )
    alpha = ALPHA * torch.cat((positives, negatives)).var(0, correction=0).sum()
    torch.testing.assert_close(ratio_of(anchors, positives, negatives), near / (far + alpha), rtol=1e-4, atol=1e-6)


def test_features_cannot_win_by_shrinking() -> None:
    sets = torch.rand(5, 3), torch.rand(4, 3), torch.rand(6, 3)
    torch.testing.assert_close(ratio_of(*(samples / 7 for samples in sets)), ratio_of(*sets), rtol=1e-3, atol=1e-5)


def test_what_cannot_be_taught_is_named() -> None:
    with pytest.raises(ValueError, match="known are features, time, refinement"):
        start(stage="attention")
    plan = parse_plan(PLAN)
    with pytest.raises(ValueError, match=r"network\.branches\[0\]"):
        Objective(replace(plan, network={"branches": [{"hidden": 6}]}), torch.device("cpu"))


@pytest.mark.parametrize("name", ["compact", "paper"])
def test_all_stages_of_a_plan_have_the_same_network(name: str) -> None:
    plans = [load_plan("strnn", config) for config in (name, f"{name}-time", f"{name}-refinement")]
    config, *others = [read_config(STRNNConfig, plan.network) for plan in plans]
    assert all(other == config for other in others)
    assert [plan.objective["stage"] for plan in plans] == list(LEARNS)
    with torch.device("meta"):
        size = sum(parameter.numel() for parameter in STRNN(config).parameters())
    assert size < 4e6 if name == "compact" else config == STRNNConfig()


def test_refinement_starts_from_weights_that_have_none(tmp_path: Path) -> None:
    torch.manual_seed(0)
    plan = parse_plan(PLAN)
    first = Objective(plan, torch.device("cpu"), stage="features")
    save_checkpoint(tmp_path / "strnn.safetensors", "strnn", first.network)
    assert first.network.refinement is None  # An untrained network is not exported.
    last = Objective(plan, torch.device("cpu"), stage="refinement")
    before = {key: value.clone() for key, value in last.network.state_dict().items()}
    start_from(last, tmp_path)
    for key, value in last.network.state_dict().items():
        given = first.network.state_dict().get(key)
        if given is not None and given.is_floating_point():
            given = given.half().float()  # exported weights have half precision
        expected = before[key] if given is None else given
        torch.testing.assert_close(value, expected)
