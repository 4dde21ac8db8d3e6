"""Tests training on a simulated CUDA device: it runs two steps, validates, writes a checkpoint and resumes from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from segmentation.engines.ipn import objective as ipn
from segmentation.engines.manet import objective as manet
from segmentation.engines.star import cutter_objective
from segmentation.engines.star import objective as star
from segmentation.engines.stm import objective as stm
from segmentation.engines.strnn import objective as strnn
from segmentation.training.loop import Run
from segmentation.training.plan import Plan, load_plan, parse_plan
from segmentation.training.sources import Sources
from tests.pretend_cuda import OnCuda, pretended_cuda
from tests.segmentation.engines.ipn import test_objective as test_ipn
from tests.segmentation.engines.manet import test_objective as test_manet
from tests.segmentation.engines.star.test_cutter_objective import CLIPS
from tests.segmentation.engines.stm import test_objective as test_stm
from tests.segmentation.engines.strnn import test_objective as test_strnn
from tests.segmentation.training import test_run

CUDA = torch.device("cuda")
# PyTorch treats the simulated device like "meta" and warns that copying parameters to it has no effect. It has: the
# last assertion checks that.
pytestmark = pytest.mark.filterwarnings("ignore:.*copying from a non-meta parameter")


@pytest.fixture(autouse=True)
def _gpu() -> Iterator[None]:
    torch.manual_seed(0)
    with pretended_cuda(gradients=True):
        yield


def cutter_plan() -> Plan:
    whole = load_plan("star-cut", "compact")
    stages = tuple(replace(stage, batch=2, clips=CLIPS) for stage in whole.stages[:1])
    return replace(whole, network={"widths": [4, 8, 12, 16], "skip": 4}, stages=stages, validation=("held-out",))


OBJECTIVES: dict[str, tuple[Any, str | None, dict[str, Any]]] = {
    "star": (star.Objective, test_run.PLAN, {}),
    "cutter": (cutter_objective.Objective, None, {}),
    "stm": (stm.Objective, test_stm.PLAN, {"system": "stm"}),
    "stm-semi": (stm.Objective, test_stm.PLAN, {"system": "stm-semi"}),
    "ipn": (ipn.Objective, test_ipn.PLAN, {}),
    "manet propagation": (manet.Objective, test_manet.PLAN, {"stage": "propagation"}),
    "manet interaction": (manet.Objective, test_manet.PLAN, {"stage": "interaction"}),
    "strnn features": (strnn.Objective, test_strnn.PLAN, {"stage": "features", "adapted": 1.0}),
    "strnn time": (strnn.Objective, test_strnn.PLAN, {"stage": "time", "adapted": 1.0}),
    "strnn refinement": (strnn.Objective, test_strnn.PLAN, {"stage": "refinement"}),
}


@pytest.mark.parametrize("name", OBJECTIVES)
def test_a_run_learns_validates_and_goes_on(sources: Sources, tmp_path: Path, name: str) -> None:
    objective_class, text, options = OBJECTIVES[name]
    plan = replace(cutter_plan() if text is None else parse_plan(text), steps=2)

    def start(plan: Plan) -> Run:
        run = Run(plan, objective_class(plan, CUDA, **options), sources, tmp_path, workers=0, say=lambda line: None)
        assert all(isinstance(p, OnCuda) for p in run.objective.network.state_dict().values())
        return run

    run = start(plan)
    before = {key: value.cpu().clone() for key, value in run.objective.network.state_dict().items()}
    run.train()
    assert run.step == 2
    assert any(not torch.equal(value.cpu(), before[key]) for key, value in run.objective.network.state_dict().items())
    again = start(plan)
    assert again.resume()
    assert again.step == 2
    assert again.best == run.best
    for key, value in again.objective.network.state_dict().items():
        assert torch.equal(value.cpu(), run.objective.network.state_dict()[key].cpu()), key
