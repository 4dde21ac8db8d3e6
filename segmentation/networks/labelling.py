"""Turns small score maps of the background (id 0) and objects into a mask at the video's size, and into confidences."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from segmentation.types import LabelMap


def upsampled_argmax(scores: Tensor, ids: Sequence[int], size: tuple[int, int], align_corners: bool = True) -> LabelMap:
    """Resize the scores [n, h, w] of n `ids` to `size`, and return the id with the highest score per pixel.

    The result is uint8 [H, W]. To save memory, the scores of only one id at a time exist at full size.
    """
    best = _full(scores[0], size, align_corners)
    labels = torch.full(size, ids[0], dtype=torch.uint8, device=scores.device)
    for row, label in zip(scores[1:], ids[1:], strict=True):
        full = _full(row, size, align_corners)
        labels[full > best] = label  # For equal scores the first id stays, as in argmax.
        torch.maximum(best, full, out=best)
    result: LabelMap = labels.cpu().numpy()
    return result


def confidences(probability: Tensor) -> list[float]:
    """Return a confidence, 0..1, for each of n ids from their probabilities [n, h, w].

    It is the mean probability of the id over the pixels where it is the most probable id. If there is no such pixel, it
    is 1 minus the largest probability of the id.
    """
    best, winner = probability[0], torch.zeros(probability.shape[1:], dtype=torch.uint8, device=probability.device)
    for row, values in enumerate(probability[1:], start=1):  # argmax along the first axis takes ten times as long
        winner[values > best] = row
        best = torch.maximum(best, values)
    result = []
    for row, values in enumerate(probability):
        won = values[winner == row]
        result.append(float(won.mean()) if len(won) else float(1 - values.max()))
    return result


def _full(row: Tensor, size: tuple[int, int], align_corners: bool) -> Tensor:
    return F.interpolate(row[None, None].float(), size=size, mode="bilinear", align_corners=align_corners)[0, 0]
