"""Converts the inputs of a golden case to those of the official demos of IPN and interactive STM, for one object."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from segmentation.evaluation.golden.case import Case
from segmentation.scribbles import cues_of

FIRST = 2  # the frame of the first interaction; that of the second one is SECOND
SECOND = 4


def scribbles_of(case: Case, frame: int, object_id: int, both: bool = False) -> tuple[Tensor, Tensor]:
    """Return the positive and negative scribble map of an object in a frame, float [H, W] of 0 and 1.

    `both` is as in `segmentation.scribbles.cues_of`.
    """
    positive, negative = cues_of(case.inputs[f"scribble_f{frame}"].astype(np.int16), object_id, both)
    return torch.from_numpy(positive).float(), torch.from_numpy(negative).float()


def frames_of(case: Case) -> Tensor:
    """Return the RGB frames as float [T, 3, H, W] in 0..1."""
    return torch.from_numpy(case.frames).permute(0, 3, 1, 2).float() / 255
