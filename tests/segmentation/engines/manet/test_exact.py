"""Tests that the MA-Net engine computes the masks of the official code for the same scribbles."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file

from segmentation import EngineSettings, Interaction, Scribble, create_engine_session
from segmentation.engines.manet.golden import GAIN
from segmentation.engines.manet.network import MANet, MANetConfig
from segmentation.evaluation.golden.case import AGREEMENT, Case
from segmentation.evaluation.golden.rules import make_scribble
from segmentation.frames import ArrayFrames
from segmentation.networks.configuration import to_json
from segmentation.scribbles import rasterise
from segmentation.session.round_labels import to_cells

CASE = Case(Path(__file__).parents[3] / "golden" / "manet", "a")


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Write the golden case's weights to a checkpoint, with a configuration in which frames are not resized."""
    height, width = CASE.frames.shape[1:3]
    network = MANet(MANetConfig(frame_size=(height, width)))
    CASE.fill(network, GAIN)
    path = tmp_path_factory.mktemp("weights") / "manet.safetensors"
    header = {"network": "manet", "config": json.dumps(to_json(network.config))}
    save_file({key: tensor.clone() for key, tensor in network.state_dict().items()}, path, header)
    return str(path)


def bars(frame: int, size: tuple[int, int]) -> tuple[Interaction, NDArray[np.int8]]:
    """Return the scribbles of a frame of the golden case, and the map of ids, int8 [H, W], that they must give."""
    cells = to_cells(CASE.labels[frame], size).numpy().astype(np.uint8)
    raster = make_scribble(cells, CASE.num_objects, thickness=1)
    strokes = []
    for object_id in range(CASE.num_objects + 1):
        ys, xs = np.nonzero(raster == object_id)
        ends = np.array([[xs.min(), ys[0]], [xs.max(), ys[0]]])
        strokes.append(Scribble(object_id, (ends + 0.25) / (size[1] - 1, size[0] - 1)))
    return Interaction(frame, tuple(strokes)), raster


def test_three_rounds_give_the_official_masks(weights: str) -> None:
    settings = EngineSettings(device="cpu", weights=weights)
    session = create_engine_session("manet", ArrayFrames(CASE.frames), CASE.num_objects, settings, scribbles_win=False)
    size = (int(CASE.golden["emb_hw"][0]), int(CASE.golden["emb_hw"][1]))
    for index, frame in enumerate(CASE.golden["loop.annotated_frames"].tolist()):
        interaction, raster = bars(frame, size)
        np.testing.assert_array_equal(rasterise(interaction.scribbles, *size), raster)
        with torch.inference_mode():
            masks = {update.frame: update.labels for update in session.run_round(interaction)}
        official = CASE.golden[f"loop.r{index}.masks"]
        assert sorted(masks) == list(range(len(official)))
        agreement = np.mean([masks[t] == official[t] for t in masks])
        assert agreement >= AGREEMENT, f"round {index + 1}"
