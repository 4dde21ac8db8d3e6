"""One object of a multi-object case, as the single-object demos of IPN and interactive STM see it."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from segmentation.evaluation.golden.case import Case
from segmentation.scribbles import NO_SCRIBBLE, Raster, dilate

FIRST = 2  # the frame of the first interaction; the rounds of both demos are on frames 2 and 4
SECOND = 4


def alone(raster: NDArray[np.int8], object_id: int) -> Raster:
    """Scribbles of `object_id` become 1, all others (background too) 0, dilated as the demos do."""
    single = np.where(raster == object_id, 1, np.where(raster >= 0, 0, NO_SCRIBBLE)).astype(np.int16)
    return dilate(single)


def scribbles_of(case: Case, frame: int, object_id: int) -> tuple[Tensor, Tensor]:
    """Positive and negative scribbles of a frame, float [H, W] of 0 and 1."""
    raster = alone(case.inputs[f"scribble_f{frame}"], object_id)
    return torch.from_numpy(raster == 1).float(), torch.from_numpy(raster == 0).float()


def frames_of(case: Case) -> Tensor:
    """float [T, 3, H, W] in 0..1."""
    return torch.from_numpy(case.frames).permute(0, 3, 1, 2).float() / 255
