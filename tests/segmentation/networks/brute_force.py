"""Computes the distance maps of MA-Net directly from the equations of its paper, as a slow reference
for the fast code.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def global_map(query: Tensor, reference: Tensor, labels: Tensor, ids: int) -> Tensor:
    """Return, for each id 0..ids-1, the distance of each query pixel to the nearest reference pixel of that id.

    The result is [ids, h, w]. This is equation 2 of the MA-Net paper. A pixel with label -1 is no reference.
    """
    pairs = (query.flatten(1)[:, :, None] - reference.flatten(1)[:, None, :]).square().sum(0)  # [h * w, h * w]
    flat = labels.flatten()
    maps = [
        normalised(pairs[:, flat == i].amin(1)) if (flat == i).any() else torch.ones(len(pairs)) for i in range(ids)
    ]
    return torch.stack(maps).view(ids, *query.shape[1:])


def local_map(query: Tensor, previous: Tensor, labels: Tensor, ids: int, window: int) -> Tensor:
    """Return, for each id, the distance to the nearest pixel of that id in a window of the previous frame: [ids, h, w].

    This is equation 4 of the MA-Net paper, with distances at half the size and labels at full size.
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
    """Return the distances at all offsets of up to k = `window` cells, [(2k + 1)^2, h, w].

    They are computed between embeddings pooled to half the size, are 1 beyond the border, and are resized to h x w.
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
