"""Runs engines on golden cases, whose arrays the official code computed.

A session has the weights of the case, and the bars that the case draws through its objects are the scribbles."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import nn

from segmentation import EngineSettings, Interaction, Scribble, create_engine_session
from segmentation.engine import Engine
from segmentation.evaluation.golden.case import Case
from segmentation.frames import ArrayFrames

GOLDEN = Path(__file__).parents[2] / "golden"


def golden_session(engine: str, case: Case, folder: Path, networks: dict[str, tuple[nn.Module, float, int]]) -> Engine:
    """Open a session of `engine` on the frames of `case`, with its weights, which are written to `folder`.

    `networks` gives for the name of each network the module, and the gain and the seed offset of its weights.
    """
    for name, (network, gain, offset) in networks.items():
        case.fill(network, gain, offset)
        torch.save({f"module.{key}": tensor for key, tensor in network.state_dict().items()}, folder / f"{name}.pth")
    settings = EngineSettings(device="cpu", weights=str(folder))
    return create_engine_session(engine, ArrayFrames(case.frames), case.num_objects, settings, scribbles_win=False)


def bars(case: Case, frame: int) -> Interaction:
    """Return the scribbles of a frame. Golden cases draw them as thick bars, so each row of pixels is one scribble."""
    raster = case.inputs[f"scribble_f{frame}"]
    height, width = raster.shape
    strokes = []
    for object_id in range(case.num_objects + 1):
        ys, xs = np.nonzero(raster == object_id)
        for y in np.unique(ys):
            row = xs[ys == y]
            # the centres of pixels, so that the scribble covers each pixel
            ends = np.array([[row.min(), y], [row.max(), y]]) + 0.5
            strokes.append(Scribble(object_id, np.minimum(ends / (width - 1, height - 1), 1)))
    return Interaction(frame, tuple(strokes))
