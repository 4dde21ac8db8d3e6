"""Turns the scribbles of clips into the inputs of IPN and STM: positive and negative maps of every object."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from segmentation.scribbles import cues_of, rasterise
from segmentation.training.objectives.batch import Batch, hard
from segmentation.training.synthetic_scribbles import correcting_scribbles
from segmentation.types import Scribble


def cues_of_pairs(batch: Batch, strokes: Sequence[Sequence[Scribble]], both: bool = False) -> Tensor:
    """Return positive and negative scribble maps for each (clip, object) pair, [N, 2, H, W], 0 or 1.

    They are thickened as in IPN or, with `both`, as in STM.
    """
    rasters = [rasterise(drawn, *batch.size) for drawn in strokes]
    pairs = zip(batch.clip.tolist(), batch.number.tolist(), strict=True)
    maps = np.stack([np.stack(cues_of(rasters[clip], number, both)) for clip, number in pairs])
    return torch.from_numpy(maps.astype(np.float32)).to(batch.labels.device)


def correcting_cues(batch: Batch, t: int, masks: Tensor, random: np.random.Generator, both: bool = False) -> Tensor:
    """Draw scribbles that correct the masks [N, H, W] of frame t.

    Return their maps [N, 2, H, W], zero for right masks.
    """
    labels = label_maps(batch, masks)
    strokes = [
        correcting_scribbles(random, clip.labels[t], labels[b], clip.num_objects) for b, clip in enumerate(batch.clips)
    ]
    return cues_of_pairs(batch, strokes, both)


def label_maps(batch: Batch, masks: Tensor) -> list[NDArray[np.uint8]]:
    """Turn aggregated probability maps [N, H, W] into the label map of every clip."""
    parts = batch.by_clip(masks)
    return hard([torch.cat([(1 - part.sum(dim=0, keepdim=True)).clamp_min(0), part]) for part in parts])
