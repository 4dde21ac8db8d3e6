"""Tests the training objective of IPN on generated data: both networks are trained together, in rounds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from segmentation.checkpoints import load_network
from segmentation.engines.ipn import objective as module
from segmentation.engines.ipn.network import Inet, IPNConfig, Pnet
from segmentation.engines.ipn.objective import Objective
from segmentation.engines.ipn.region import Region
from segmentation.networks.resnet import RESNET50
from segmentation.training.loop import Run
from segmentation.training.objectives.batch import Batch
from segmentation.training.objectives.running_means import RunningMeans
from segmentation.training.plan import Plan, load_plan, parse_plan
from segmentation.training.sources import Sources
from segmentation.types import IGNORE
from tests.segmentation.training.training_steps import learn, make_clips, untouched

PLAN = """
engine = "ipn"
seed = 3
steps = 2
learning_rate = 1e-3
weight_decay = 0.01
warmup = 2
average = 0.9
clip_gradient = 1.0
validation = ["held-out"]
exclude = ["development"]
[network]
width = 8
fusion = 8
body = { blocks = [1, 1, 1, 1], strides = [1, 2, 2, 2], width = 4, expansion = 2 }
region = { size = 64, smallest = 16, margin = 2 }
[[stages]]
until = 1.0
batch = 2
clips = { frames = 3, height = 40, width = 56, max_objects = 2 }
"""
CPU = torch.device("cpu")


@pytest.fixture
def plan() -> Plan:
    return parse_plan(PLAN)


@pytest.fixture(autouse=True)
def _same_weights() -> None:
    torch.manual_seed(0)


def test_a_step_reaches_every_parameter_of_both_networks(plan: Plan, sources: Sources) -> None:
    objective = Objective(plan, CPU)
    losses = learn(objective, make_clips(objective, sources, plan.stages[0].clips, 2), steps=1)
    assert np.isfinite(losses).all()
    assert untouched(objective.network) == set()


def test_a_single_clip_is_learned(plan: Plan, sources: Sources) -> None:
    objective = Objective(plan, CPU)
    losses = learn(objective, make_clips(objective, sources, plan.stages[0].clips, 1), steps=30)
    assert np.mean(losses[-5:]) < 0.75 * np.mean(losses[:5])


def test_a_run_ends_with_a_validation_by_the_engine(plan: Plan, sources: Sources, tmp_path: Path) -> None:
    objective = Objective(plan, CPU)
    run = Run(plan, objective, sources, tmp_path, workers=0, say=lambda line: None)
    run.train()
    assert 0 <= run.best <= 1
    assert {"score", "round_1", "round_3"} <= set(objective.validate(objective.network.eval(), sources))
    assert isinstance(load_network("ipn-inet", tmp_path), Inet)
    assert isinstance(load_network("ipn-pnet", tmp_path), Pnet)


def test_the_interaction_network_learns_from_what_is_carried_on(
    plan: Plan, sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loss of propagated masks alone gives the interaction network's encoder a gradient.

    The gradient passes through the feature of the annotated frame that the propagation network reads.
    """
    add, add_side = RunningMeans.add, RunningMeans.add_side

    def without(means: RunningMeans, name: str, logits: list[torch.Tensor], labels: list[torch.Tensor]) -> None:
        add(means, name, logits if name == "next" else [part * 0 for part in logits], labels)

    monkeypatch.setattr(RunningMeans, "add", without)
    monkeypatch.setattr(
        RunningMeans, "add_side", lambda means, logits, labels, weight: add_side(means, logits, labels, 0.0)
    )
    objective = Objective(plan, CPU, rounds=1)
    learn(objective, make_clips(objective, sources, plan.stages[0].clips, 1), steps=1)
    inet = objective.network.get_submodule("ipn-inet")
    assert isinstance(inet, Inet)
    assert inet.Encoder.conv1.weight.grad is not None
    assert inet.Encoder.conv1.weight.grad.any()
    assert inet.Decoder.pred2.weight.grad is not None
    assert not inet.Decoder.pred2.weight.grad.any()


def test_a_mask_that_is_given_is_carried_on_as_it_is(
    plan: Plan, sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "DRIFT", 0.0)
    objective = Objective(plan, CPU, rounds=1, given_masks=1.0)
    seen, neighbours = [], []
    inet, pnet = module._networks(objective.network)
    look, carry = inet.forward, pnet.forward
    monkeypatch.setattr(inet, "forward", lambda frame, mask, *cues: seen.append(mask) or look(frame, mask, *cues))
    monkeypatch.setattr(pnet, "forward", lambda *given: neighbours.append(given[3]) or carry(*given))
    clips = make_clips(objective, sources, plan.stages[0].clips, 1)
    _, figures = objective.loss(clips, np.random.default_rng(0))
    truth = Batch([drawn.clip for drawn in clips], CPU)
    torch.testing.assert_close(seen[0], truth.own(truth.labels[:, 0]))
    torch.testing.assert_close(neighbours[0], seen[0])
    assert set(figures) == {"j_given", "j_next"}


def test_a_round_ends_where_an_earlier_one_was_annotated(
    plan: Plan, sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In training, propagation stops at a frame that an earlier round annotated.

    Each frame before it is computed from the binarised mask of its neighbour in the same round.
    """
    monkeypatch.setattr(module, "DRIFT", 0.0)
    objective = Objective(plan, CPU)
    clips = make_clips(objective, sources, plan.stages[0].clips, 1)
    inet, pnet = module._networks(objective.network)
    batch = Batch([drawn.clip for drawn in clips], CPU)
    episode = module._TrainingStep((inet, pnet), batch, RunningMeans(0.3, 1.0), 0.2, 0.0, np.random.default_rng(0))
    noted, neighbours = [], []
    real = pnet.forward

    def carried(frame: torch.Tensor, reference: torch.Tensor, before: torch.Tensor, neighbour: torch.Tensor) -> object:
        neighbours.append(neighbour)
        return real(frame, reference, before, neighbour)

    monkeypatch.setattr(pnet, "forward", carried)
    note = episode._noted
    monkeypatch.setattr(episode, "_noted", lambda estimate, t, name: noted.append((t, name)) or note(estimate, t, name))
    cues = torch.zeros(len(batch.clip), 2, *batch.size)
    cues[:, 0, 10:20, 10:20] = 1
    nothing = torch.zeros(batch.length, len(batch.clip), *batch.size)
    known = episode._round(0, cues, module._Known(nothing, None, ()))
    later = episode._round(2, cues, known)
    assert noted == [(0, "first"), (1, "next"), (2, "next"), (2, "corrected"), (1, "later")]
    assert later.frames == (0, 2)
    torch.testing.assert_close(neighbours[1], known.masks[1].round())
    torch.testing.assert_close(later.masks[0], known.masks[0])
    assert not torch.equal(later.masks[1], known.masks[1])


def test_labels_are_cut_out_as_the_frame_is(plan: Plan, sources: Sources) -> None:
    """Ground truth is cropped like the frame: pixels outside the frame or without a true label are "ignore"."""
    objective = Objective(plan, CPU)
    drawn = make_clips(objective, sources, plan.stages[0].clips, 1)[0]
    drawn.clip.labels[0] = 0
    drawn.clip.labels[0, :20] = 1
    drawn.clip.labels[0, :, :10] = IGNORE
    batch = Batch([drawn.clip], CPU)
    inet, pnet = module._networks(objective.network)
    episode = module._TrainingStep((inet, pnet), batch, RunningMeans(0.3, 1.0), 0.2, 0.0, np.random.default_rng(0))
    everything = torch.ones(len(batch.clip), *batch.size)
    estimate = inet(episode._frame(0), everything, everything, torch.zeros_like(everything))
    assert isinstance(estimate.region, Region)
    labels = episode._labels(estimate, 0)
    assert labels.dtype == torch.uint8
    back = estimate.region.warp_back(labels[:, None].float())[0, 0]
    assert (back[2:18, 14:-2].round() == 1).all()
    assert (back[24:-2, 14:-2].round() == 0).all()
    assert (labels[0, :, :8] == IGNORE).all()
    assert (labels[0, 0] == IGNORE).all()


def test_the_plans_that_ship_fit_the_network() -> None:
    compact, paper = load_plan("ipn", "compact"), load_plan("ipn", "paper")
    objective = Objective(compact, CPU, **compact.objective)
    assert sum(p.numel() for p in objective.network.parameters()) < 7e6
    assert paper.network == {}
    assert IPNConfig().body == RESNET50
    assert [type(module) for module in objective.network.children()] == [Inet, Pnet]
