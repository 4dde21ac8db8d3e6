"""Tests that both STM engines, with networks of the paper's size, compute the masks of the official code."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from segmentation import EngineSettings
from segmentation.engines.stm.network import STM, InteractiveSTM
from segmentation.evaluation.golden.case import Case
from segmentation.frames import ArrayFrames
from segmentation.registry import create_engine_session
from segmentation.scribbles import rasterise
from segmentation.types import Interaction, Scribble
from tests.segmentation.engines.golden_session import GOLDEN, bars, golden_session

pytestmark = pytest.mark.slow
AGREEMENT = 0.995  # fraction of equal pixels, as in the golden comparison, since rounding may decide an argmax


def test_interactive_stm_gives_the_official_masks_over_three_rounds(tmp_path: Path) -> None:
    case = Case(GOLDEN / "stm_interactive", "a")
    session = golden_session("stm", case, tmp_path, {"stm": (InteractiveSTM(), 1.0, 0)})
    for index, frame in enumerate((2, 4, 2)):
        interaction = bars(case, frame)
        raster = rasterise(interaction.scribbles, *case.labels.shape[1:])
        np.testing.assert_array_equal(raster, case.inputs[f"scribble_f{frame}"])
        masks = {update.frame: update.labels for update in session.run_round(interaction)}
        golden = np.unpackbits(case.golden[f"obj1.r{index}.masks"], count=case.labels.size).reshape(case.labels.shape)
        found = np.stack([masks[t] for t in range(len(masks))])
        assert 0 < golden.mean() < 1
        assert (found == golden).mean() >= AGREEMENT


@pytest.mark.parametrize("every", [5, 2])
def test_semi_supervised_stm_gives_the_official_masks(tmp_path: Path, every: int) -> None:
    case = Case(GOLDEN / "stm", "a")
    network = STM()
    case.fill(network, 1.0)
    torch.save(network.state_dict(), tmp_path / "STM_weights.pth")
    settings = EngineSettings(device="cpu", weights=str(tmp_path))
    session = create_engine_session("stm-semi", ArrayFrames(case.frames), 1, settings, every=every)
    session.lock(0, case.labels[0])
    stroke = Interaction(0, (Scribble(1, np.array([[0.2, 0.3]])),))
    masks = {update.frame: update.labels for update in session.run_round(stroke)}
    golden = case.golden[f"loop.every{every}.pred"]
    assert sorted(masks) == list(range(1, len(golden)))
    for frame, labels in masks.items():
        assert (labels == golden[frame]).mean() >= AGREEMENT
