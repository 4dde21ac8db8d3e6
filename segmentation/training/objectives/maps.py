"""The distance maps of MA-Net (equations 1, 2, 4 and 7 of its paper) as differentiable functions.

`segmentation.networks.matching` computes the same values in place and in blocks, which is faster but has no gradient.
The gradient of a minimum goes to the pair of cells with the smallest distance.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

ROWS = 4096  # Queries per block: the distances of all cells of a frame at once would need too much memory.


def global_map(query: Tensor, cells: Tensor, labels: Tensor, ids: Sequence[int]) -> Tensor:
    """Return the distance of each cell to the nearest labelled cell of each id, 1 if there is none (MA-Net, equation
    2).

    Args:
        query: the embedding of a frame, [C, h, w].
        cells, labels: embeddings [R, C] and ids [R] of the labelled cells.

    Returns:
        [len(ids), h, w] in 0..1.
    """
    flat = query.flatten(1).t()  # [h * w, C]
    maps = []
    for id_ in ids:
        own = cells[labels == id_]
        if len(own):
            maps.append(normalised((flat - own[_nearest(flat, own)]).square().sum(1)))
        else:
            maps.append(flat.new_ones(len(flat)))
    return torch.stack(maps).view(len(ids), *query.shape[1:])


def local_map(query: Tensor, previous: Tensor, labels: Tensor, ids: Sequence[int], window: int) -> Tensor:
    """Return each cell's distance to the nearest cell of each id within a window (MA-Net, equations 4 and 7).

    The result is [len(ids), h, w] in 0..1, and 1 where the window has no cell of the id. Embeddings are pooled and
    distances resized as in `networks.matching.local_distances`.

    Args:
        query, previous: embeddings [C, h, w] of the frame and of the previous frame.
        labels: ids in the previous frame, int [h, w]; outside the frame is background.
        window: k of the paper, in cells at half the size.
    """
    height, width = labels.shape
    small, other = (F.avg_pool2d(embedding[None], 2)[0] for embedding in (query, previous))
    padded = F.pad(other, (window,) * 4)
    inside = F.pad(torch.ones_like(other[0], dtype=torch.bool), (window,) * 4)
    seen = F.pad(labels, (2 * window,) * 4)
    found = torch.ones(len(ids), height, width, device=query.device)
    for step in range(2 * window + 1):
        rows = slice(step, step + small.shape[1])
        distances = _row_of_offsets(small, padded[:, rows], inside[rows], window)
        full = F.interpolate(distances[None], size=(height, width), mode="bilinear", align_corners=True)[0]
        there = seen[2 * step : 2 * step + height].unfold(1, width, 2).transpose(0, 1)  # [2k + 1, h, w]
        nearest = [torch.where(there == id_, full, 1.0).amin(0) for id_ in ids]
        found = torch.minimum(found, torch.stack(nearest))
    return found


def _row_of_offsets(query: Tensor, band: Tensor, inside: Tensor, window: int) -> Tensor:
    """Return the distances of `query` [C, h, w] to the cells of `band` [C, h, w + 2k] in the same row, [2k + 1, h, w].

    They are at the horizontal offsets -k..k, with k = `window`. `inside` [h, w + 2k] is False outside the frame, where
    the distance is 1.
    """
    _, height, width = query.shape
    columns = torch.arange(width, device=query.device)[:, None] + torch.arange(2 * window + 1, device=query.device)
    columns = columns.expand(height, -1, -1)  # [h, w, 2k + 1]
    product = torch.bmm(query.permute(1, 2, 0), band.permute(1, 0, 2)).gather(2, columns)
    norms = band.square().sum(0)[:, None].expand(-1, width, -1).gather(2, columns)
    distances = normalised(query.square().sum(0)[:, :, None] + norms - 2 * product)
    reached = inside[:, None].expand(-1, width, -1).gather(2, columns)
    return torch.where(reached, distances, 1.0).permute(2, 0, 1)


def normalised(squared: Tensor) -> Tensor:
    """Map squared distances of embeddings to 0..1 (MA-Net, equation 1): 0 for equal embeddings, near 1 for distant
    ones.
    """
    return torch.tanh(squared.clamp_min(0) / 2)


@torch.no_grad()
def _nearest(query: Tensor, cells: Tensor) -> Tensor:
    """Return, for every row of `query` [P, C], the index of the nearest row of `cells` [R, C]."""
    norms = cells.square().sum(1)
    return torch.cat([torch.addmm(norms, part, cells.t(), alpha=-2).argmin(1) for part in query.split(ROWS)])
