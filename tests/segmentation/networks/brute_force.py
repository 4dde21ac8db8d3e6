"""Computes MA-Net's distance maps directly from the equations of its paper, slowly, to test the fast code."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def global_map(query: Tensor, reference: Tensor, labels: Tensor, ids: int) -> Tensor:
    """Return, for each id 0..ids-1, the distance of each cell to the nearest cell of that id in another frame.

    This is equation 2 of the MA-Net paper.

    Args:
        query, reference: embeddings [C, h, w] of the frame and of the other frame.
        labels: ids in the other frame, [h, w]. Cells with -1 have no id.

    Returns:
        [ids, h, w].
    """
    pairs = (query.flatten(1)[:, :, None] - reference.flatten(1)[:, None, :]).square().sum(0)  # [h * w, h * w]
    flat = labels.flatten()
    maps = [
        normalised(pairs[:, flat == i].amin(1)) if (flat == i).any() else torch.ones(len(pairs)) for i in range(ids)
    ]
    return torch.stack(maps).view(ids, *query.shape[1:])


def local_map(query: Tensor, previous: Tensor, labels: Tensor, ids: int, window: int) -> Tensor:
    """Return, for each id, each cell's distance to the nearest cell of that id in a window of the previous frame.

    The result is [ids, h, w]. This is equation 4 of the MA-Net paper, with distances computed at half the size, and
    ids at full size.
    """
    distances = all_offsets(query, previous, window)  # [(2k + 1)^2, h, w]
    height, width = labels.shape
    result = torch.ones(ids, height, width)
    offsets = [(dy, dx) for dy in range(-window, window + 1) for dx in range(-window, window + 1)]
    for distance, (dy, dx) in zip(distances, offsets, strict=True):
        seen = torch.zeros_like(labels)  # beyond the border the label is 0
        for y in range(height):
            for x in range(width):
                if 0 <= y + 2 * dy < height and 0 <= x + 2 * dx < width:
                    seen[y, x] = labels[y + 2 * dy, x + 2 * dx]
        for i in range(ids):
            result[i] = torch.where(seen == i, torch.minimum(result[i], distance), result[i])
    return result


def all_offsets(query: Tensor, previous: Tensor, window: int) -> Tensor:
    """Return each cell's distances to the cells of the previous frame at all offsets of up to k = `window` cells.

    They are computed between embeddings pooled to half the size, are 1 beyond the border, and are resized to h x w:
    [(2k + 1)^2, h, w].
    """
    small, other = F.avg_pool2d(query[None], 2)[0], F.avg_pool2d(previous[None], 2)[0]
    _, height, width = small.shape
    maps = []
    for dy in range(-window, window + 1):
        for dx in range(-window, window + 1):
            found = torch.ones(height, width)
            for y in range(max(0, -dy), min(height, height - dy)):
                for x in range(max(0, -dx), min(width, width - dx)):
                    found[y, x] = normalised((small[:, y, x] - other[:, y + dy, x + dx]).square().sum())
            maps.append(found)
    full = F.interpolate(torch.stack(maps)[None], size=query.shape[1:], mode="bilinear", align_corners=True)
    return full[0]


def normalised(squared: Tensor) -> Tensor:
    """Map squared distances to 0..1 by equation 1 of the MA-Net paper."""
    return 2 * (torch.sigmoid(squared) - 0.5)
