"""Turns the scribbles of clips into inputs of IPN and STM: a positive and a negative scribble map of every object."""

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
    """Return the positive and the negative scribble map for each (clip, object) pair, [N, 2, H, W], 0 or 1.

    `strokes` are the scribbles of each clip. Where dilated scribbles overlap, a pixel is in both maps if `both` is True
    (for STM), and only in the positive map if it is False (for IPN). See `segmentation.scribbles.cues_of`.
    """
    rasters = [rasterise(drawn, *batch.size) for drawn in strokes]
    pairs = zip(batch.clip.tolist(), batch.number.tolist(), strict=True)
    maps = np.stack([np.stack(cues_of(rasters[clip], number, both)) for clip, number in pairs])
    return torch.from_numpy(maps.astype(np.float32)).to(batch.labels.device)


def correcting_cues(batch: Batch, t: int, masks: Tensor, random: np.random.Generator, both: bool = False) -> Tensor:
    """Draw scribbles that correct the masks [N, H, W] of the (clip, object) pairs in frame t.

    Returns their positive and negative maps, [N, 2, H, W], which are zero where nothing is wrong. `both` is as
    in `cues_of_pairs`.
    """
    labels = label_maps(batch, masks)
    strokes = [
        correcting_scribbles(random, clip.labels[t], labels[b], clip.num_objects) for b, clip in enumerate(batch.clips)
    ]
    return cues_of_pairs(batch, strokes, both)


def label_maps(batch: Batch, masks: Tensor) -> list[NDArray[np.uint8]]:
    """Turn the probability maps of the (clip, object) pairs, [N, H, W], into a mask of every clip, uint8 [H, W].

    The maps of a clip's objects sum to at most 1.
    """
    parts = batch.by_clip(masks)
    return hard([torch.cat([(1 - part.sum(dim=0, keepdim=True)).clamp_min(0), part]) for part in parts])
