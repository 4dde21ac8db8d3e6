"""Tests the training objectives of interactive and semi-supervised STM on generated data."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from segmentation.checkpoints import load_network, save_checkpoint
from segmentation.engines.stm import objective as module
from segmentation.engines.stm.network import STM, STRIDE, InteractiveSTM, SpaceTimeMemory, STMConfig
from segmentation.engines.stm.objective import Objective
from segmentation.networks.memory import MemorySlot
from segmentation.networks.padding import pad, padding_to
from segmentation.training.loop import Run, start_from
from segmentation.training.objectives.batch import Batch
from segmentation.training.plan import Plan, load_plan, parse_plan
from segmentation.training.sources import Sources
from tests.segmentation.engines.stm.tiny import TINY
from tests.segmentation.training.training_steps import learn, make_clips, untouched

PLAN = """
engine = "stm"
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
keys = 8
values = 8
width = 8
body = { blocks = [1, 1, 1], strides = [1, 2, 2], width = 4, expansion = 2 }
[[stages]]
until = 1.0
batch = 2
clips = { frames = 3, height = 40, width = 56, max_objects = 2 }
"""
SYSTEMS = ["stm", "stm-semi"]
CPU = torch.device("cpu")


@pytest.fixture
def plan() -> Plan:
    return parse_plan(PLAN)


@pytest.fixture(autouse=True)
def _same_weights() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_step_reaches_every_parameter(plan: Plan, sources: Sources, system: str) -> None:
    objective = Objective(plan, CPU, system=system)
    objective.progress = 1.0  # at the beginning true masks take the place of first scribbles
    losses = learn(objective, make_clips(objective, sources, plan.stages[0].clips, 2), steps=1)
    assert np.isfinite(losses).all()
    # the official code always passes zeros as this input
    unused = {"Encoder_M.conv1_om.weight"} if system == "stm" else set()
    assert untouched(objective.network) == unused


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_single_clip_is_learned(plan: Plan, sources: Sources, system: str) -> None:
    objective = Objective(plan, CPU, system=system)
    losses = learn(objective, make_clips(objective, sources, plan.stages[0].clips, 1), steps=30)
    assert np.mean(losses[-5:]) < 0.75 * np.mean(losses[:5])


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_run_ends_with_a_validation_by_the_engine(plan: Plan, sources: Sources, system: str, tmp_path: Path) -> None:
    objective = Objective(plan, CPU, system=system)
    run = Run(plan, objective, sources, tmp_path, workers=0, say=lambda line: None)
    run.train()
    assert 0 <= run.best <= 1
    assert {"score", "round_1"} <= set(objective.validate(objective.network.eval(), sources))
    shipped = load_network(system, tmp_path)
    assert getattr(shipped, "config", None) == getattr(objective.network, "config", None)


@pytest.mark.parametrize("system", SYSTEMS)
def test_memory_and_query_begin_as_one_network(plan: Plan, system: str) -> None:
    network = Objective(plan, CPU, system=system).network
    assert isinstance(network, SpaceTimeMemory)
    frame, nothing = torch.rand(1, 3, 32, 48), torch.zeros(1, 2 if system == "stm-semi" else 3, 32, 48)
    network.eval()
    slot, query = network.memorize(frame, nothing)[0], network.encode_query(frame)
    torch.testing.assert_close(slot.key, query.key.flatten(1))


def test_true_masks_come_first_at_the_beginning_of_a_run() -> None:
    shares = [module.given_at(progress) for progress in (0.0, module.EASY / 2, module.EASY, 1.0)]
    assert shares[0] == 1.0
    assert shares[1] == pytest.approx((1 + module.ACCEPTED) / 2)
    assert shares[2:] == [module.ACCEPTED, module.ACCEPTED]


def test_frozen_norms_stay_as_they_are(plan: Plan, sources: Sources) -> None:
    objective = Objective(plan, CPU, frozen_norms=True)
    before = {name: value.clone() for name, value in objective.network.state_dict().items() if ".bn" in name}
    learn(objective, make_clips(objective, sources, plan.stages[0].clips, 1), steps=1)
    after = objective.network.state_dict()
    assert len(before) > 20
    for name, value in before.items():
        torch.testing.assert_close(after[name], value, rtol=0, atol=0)


def test_annotated_frames_are_the_memory_and_a_frame_keeps_one_slot(
    plan: Plan, sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ACCEPTED", 0.0)
    objective = Objective(plan, CPU, rounds=4)
    objective.progress = 1.0  # at the beginning true masks take the place of first scribbles
    network, cues, sizes = objective.network, [], []
    assert isinstance(network, InteractiveSTM)
    memorize, read = network.memorize, network.read

    def memorized(frames: torch.Tensor, given: torch.Tensor) -> list[MemorySlot]:
        cues.append(given)
        return memorize(frames, given)

    monkeypatch.setattr(network, "memorize", memorized)
    monkeypatch.setattr(network, "read", lambda slots, query: sizes.append(len(slots)) or read(slots, query))
    clips = make_clips(objective, sources, plan.stages[0].clips, 1)
    objective.loss(clips, np.random.default_rng(0))
    assert len(cues) == 4
    assert not cues[0][:, 0].any()  # the first frame has scribbles but no mask yet
    assert cues[0][:, 1].flatten(1).any(dim=1).all()
    assert all(given[:, 0].any() for given in cues[1:])
    assert max(sizes) <= 3  # the memory holds at most the three frames of the clip


def test_good_masks_of_annotated_frames_are_looked_up_by_all_others(
    plan: Plan, sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BOTH", 0.0)
    monkeypatch.setattr(module, "WORSE", 0.0)
    objective = Objective(plan, CPU, given_masks=1.0)
    network, cues = objective.network, []
    assert isinstance(network, InteractiveSTM)
    memorize = network.memorize
    monkeypatch.setattr(network, "memorize", lambda frames, given: cues.append(given) or memorize(frames, given))
    clips = make_clips(objective, sources, plan.stages[0].clips, 1)
    found = [objective.loss(clips, np.random.default_rng(seed))[1] for seed in range(8)]
    assert all(set(figures) == {"j_looked_up"} for figures in found)
    assert len(cues) == 8
    batch = Batch([clips[0].clip], CPU)
    masks = pad(batch.own(batch.labels[:, 0]), padding_to(STRIDE, *batch.size))
    assert all(torch.equal(given[:, 0], masks) for given in cues)
    assert {bool(given[:, 1].any()) for given in cues} == {True, False}, "with strokes and without"


def test_a_single_object_is_trained_as_the_engine_shows_it() -> None:
    """A single object's probabilities are computed as in the engine.

    Interactive STM uses the network's logits; semi-supervised STM aggregates object and background.
    """
    logits = torch.tensor([[0.3, 1.1]])[..., None, None]
    alone, shared = (module._joint(cls(TINY), logits) for cls in (InteractiveSTM, STM))
    torch.testing.assert_close(alone, logits[0])
    torch.testing.assert_close(shared[1] - shared[0], 2 * (logits[0, 1] - logits[0, 0]))


def test_semi_supervised_stm_begins_with_what_the_interactive_one_knows(plan: Plan, tmp_path: Path) -> None:
    """After semi-supervised STM was initialised from interactive STM, both give the same keys for a frame with a
    mask.
    """
    known = Objective(plan, CPU).network.eval()
    assert isinstance(known, InteractiveSTM)
    save_checkpoint(tmp_path / "stm.safetensors", "stm", known)
    objective = Objective(plan, CPU, system="stm-semi")
    start_from(objective, tmp_path / "stm.safetensors")
    frame, mask, nothing = torch.rand(1, 3, 32, 48), torch.rand(1, 1, 32, 48), torch.zeros(1, 2, 32, 48)
    theirs = known.memorize(frame, torch.cat([mask, nothing], dim=1))[0]
    network = objective.network
    assert isinstance(network, STM)
    ours = network.memorize(frame, torch.cat([mask, torch.rand(1, 1, 32, 48)], dim=1))[0]
    torch.testing.assert_close(ours.key, theirs.key, rtol=1e-2, atol=1e-2)  # the file has half precision
    torch.testing.assert_close(network.encode_query(frame).key, known.encode_query(frame).key, rtol=1e-2, atol=1e-2)


def test_bad_options_are_told_in_a_sentence(plan: Plan) -> None:
    with pytest.raises(ValueError, match="known are stm, stm-semi"):
        Objective(plan, CPU, system="star")
    with pytest.raises(ValueError, match=r"network: STMConfig has no depth"):
        Objective(replace(plan, network={"depth": 3}), CPU)


@pytest.mark.parametrize("name", SYSTEMS)
def test_the_plans_that_ship_fit_the_network(name: str) -> None:
    compact, paper = load_plan(name, "compact"), load_plan(name, "paper")
    objective = Objective(compact, CPU, **compact.objective)
    assert sum(p.numel() for p in objective.network.parameters()) < 3e6
    assert paper.network == {}
    assert {**paper.objective}.get("system", "stm") == {**compact.objective}.get("system", "stm") == name
    assert STMConfig().body.blocks == (3, 4, 6)
