"""Gives one object of a case with several objects the form that the official demos of IPN and interactive STM use."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from segmentation.evaluation.golden.case import Case
from segmentation.scribbles import cues_of

FIRST = 2  # the frame of the first interaction; the demos annotate frames 2 and 4
SECOND = 4


def scribbles_of(case: Case, frame: int, object_id: int, both: bool = False) -> tuple[Tensor, Tensor]:
    """Return positive and negative scribble maps of a frame, float [H, W] of 0 and 1. For `both` see `cues_of`."""
    positive, negative = cues_of(case.inputs[f"scribble_f{frame}"].astype(np.int16), object_id, both)
    return torch.from_numpy(positive).float(), torch.from_numpy(negative).float()


def frames_of(case: Case) -> Tensor:
    """Return the RGB frames as float [T, 3, H, W] in 0..1."""
    return torch.from_numpy(case.frames).permute(0, 3, 1, 2).float() / 255
