"""From scores of ids on a coarse grid to the mask at the video's size."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from segmentation.types import LabelMap


def upsampled_argmax(scores: Tensor, ids: Sequence[int], size: tuple[int, int], align_corners: bool = True) -> LabelMap:
    """Scores [n, h, w] of `ids`, n >= 1 -> labels uint8 [H, W]; one id's scores exist at full size at a time."""
    best = _full(scores[0], size, align_corners)
    labels = torch.full(size, ids[0], dtype=torch.uint8, device=scores.device)
    for row, label in zip(scores[1:], ids[1:], strict=True):
        full = _full(row, size, align_corners)
        labels[full > best] = label  # of equal scores the first id stays, as argmax has it
        torch.maximum(best, full, out=best)
    result: LabelMap = labels.cpu().numpy()
    return result


def confidences(probability: Tensor) -> list[float]:
    """Of every id in [n, h, w] the mean probability over the cells it won; if none, how sure its absence is."""
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
