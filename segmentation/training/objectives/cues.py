"""Scribbles of a step's clips as IPN and STM expect them: positive and negative maps for every object."""

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
    """The strokes of every clip -> [N, 2, H, W] (positive, negative), 0 or 1, thickened as by IPN or (`both`) STM."""
    rasters = [rasterise(drawn, *batch.size) for drawn in strokes]
    pairs = zip(batch.clip.tolist(), batch.number.tolist(), strict=True)
    maps = np.stack([np.stack(cues_of(rasters[clip], number, both)) for clip, number in pairs])
    return torch.from_numpy(maps.astype(np.float32)).to(batch.labels.device)


def correcting_cues(batch: Batch, t: int, masks: Tensor, random: np.random.Generator, both: bool = False) -> Tensor:
    """Strokes where the masks [N, H, W] of frame t are wrong -> [N, 2, H, W]; nothing for clips that are right."""
    labels = label_maps(batch, masks)
    strokes = [
        correcting_scribbles(random, clip.labels[t], labels[b], clip.num_objects) for b, clip in enumerate(batch.clips)
    ]
    return cues_of_pairs(batch, strokes, both)


def label_maps(batch: Batch, masks: Tensor) -> list[NDArray[np.uint8]]:
    """Soft masks [N, H, W] that share each pixel -> the labels of every clip [H, W]; the rest is background."""
    parts = batch.by_clip(masks)
    return hard([torch.cat([(1 - part.sum(dim=0, keepdim=True)).clamp_min(0), part]) for part in parts])
