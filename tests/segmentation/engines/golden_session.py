"""Opens engines on golden cases: synthetic inputs for which the official code of a paper computed arrays.

The session gets the same deterministic weights as the official code, and the same scribbles (bars through objects)."""

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
    """Open a session of `engine` on the frames of a golden case, with the deterministic weights of that case.

    Args:
        folder: where the checkpoints of the networks are written.
        networks: by the network's name, the module, and the gain and the seed offset of its weights (`Case.fill`).
    """
    for name, (network, gain, offset) in networks.items():
        case.fill(network, gain, offset)
        torch.save({f"module.{key}": tensor for key, tensor in network.state_dict().items()}, folder / f"{name}.pth")
    settings = EngineSettings(device="cpu", weights=str(folder))
    return create_engine_session(engine, ArrayFrames(case.frames), case.num_objects, settings, scribbles_win=False)


def bars(case: Case, frame: int) -> Interaction:
    """Return the scribbles of a golden case in a frame. The case has thick bars; each of their rows is a scribble."""
    raster = case.inputs[f"scribble_f{frame}"]
    height, width = raster.shape
    strokes = []
    for object_id in range(case.num_objects + 1):
        ys, xs = np.nonzero(raster == object_id)
        for y in np.unique(ys):
            row = xs[ys == y]
            # the ends are centres of pixels, so that the scribble covers the pixels of the row exactly
            ends = np.array([[row.min(), y], [row.max(), y]]) + 0.5
            strokes.append(Scribble(object_id, np.minimum(ends / (width - 1, height - 1), 1)))
    return Interaction(frame, tuple(strokes))
