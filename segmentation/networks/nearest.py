"""Exact nearest neighbours of many queries among one set of references, as matrix products that stay in the cache.

A large set is searched in two steps. Embeddings of pixels lie near a subspace of few dimensions, and a distance inside
a subspace is never larger than the whole one. So a product with 16 principal components out of 100 tells for a block
of queries which references could be nearer than one that is known already; only those few are compared in full.
"""

from __future__ import annotations

import torch
from torch import Tensor

_ROWS, _COLUMNS = 2048, 512  # a block of the full product: 4 MB, near what the caches of two cores hold
_GPU_ROWS, _GPU_COLUMNS = 1 << 14, 1 << 13
_PRUNE_FROM = 2048  # references from which the first step pays
_COMPONENTS = 16
_BLOCK = 64  # queries that are pruned together: with 20,000 references 5 MB, and near each other in the picture
_COARSE = 16  # every 16th reference gives the first upper bound
_SLACK = 1e-4  # of the squared norms: far above what rounding can do to a distance, far below what tells them apart


class NearestReference:
    """References [R, C], R >= 1, prepared for any number of searches."""

    def __init__(self, reference: Tensor) -> None:
        self._extended = _extended_reference(reference.float())  # [R, C + 1]
        self._pruned = len(reference) >= _PRUNE_FROM and reference.device.type == "cpu"
        if self._pruned:
            self._prepare(reference.float())

    def _prepare(self, reference: Tensor) -> None:
        self._mean = reference.mean(0)
        centred = reference - self._mean
        _, axes = torch.linalg.eigh(centred.t() @ centred)  # ascending
        self._axes = axes[:, -_COMPONENTS:].contiguous()  # [C, k]
        inner = centred @ self._axes
        norms = inner.square().sum(1, keepdim=True)
        self._inner = torch.cat((-2 * inner, norms, torch.ones_like(norms)), dim=1).t().contiguous()  # [k + 2, R]
        self._largest = self._extended[:, -1].max()

    def squared(self, query: Tensor) -> Tensor:
        """Squared distance of every row of `query` [P, C] to its nearest reference: float32 [P].

        Fast when rows that follow each other are neighbours in the picture (`tiled_order`).
        """
        query = query.float()
        norms = query.square().sum(1)
        extended = _extended_query(query)
        if not self._pruned:
            return _nearest(extended, self._extended).add_(norms)
        nearest = _nearest(extended, self._extended[::_COARSE])  # an upper bound, and the answer where it is reached
        inner = (query - self._mean) @ self._axes
        bound = nearest + norms + _SLACK * (norms + self._largest)
        left = torch.cat((inner, torch.ones_like(inner[:, :1]), (inner.square().sum(1) - bound)[:, None]), dim=1)
        product = torch.empty(_BLOCK, len(self._extended))
        for top in range(0, len(query), _BLOCK):
            rows = slice(top, top + _BLOCK)
            # [B, R]: distance inside the subspace minus the bound; below 0 the reference may be nearer
            excess = torch.mm(left[rows], self._inner, out=product[: len(left[rows])])
            chosen = torch.nonzero(excess.amin(0) <= 0)[:, 0]
            if len(chosen):
                found = torch.mm(extended[rows], self._extended[chosen].t()).amin(1)
                torch.minimum(nearest[rows], found, out=nearest[rows])
        return nearest.add_(norms)


def nearest_squared(query: Tensor, reference: Tensor) -> Tensor:
    """Squared distance of every row of `query` [P, C] to the nearest row of `reference` [R, C], R >= 1: float32 [P]."""
    query = query.float()
    return _nearest(_extended_query(query), _extended_reference(reference.float())).add_(query.square().sum(1))


# -2 q.r + |r|^2 is one product with a column more; |q|^2 does not change which r is the nearest, and is added last.


def _extended_query(query: Tensor) -> Tensor:
    return torch.cat((query, torch.ones_like(query[:, :1])), dim=1)


def _extended_reference(reference: Tensor) -> Tensor:
    return torch.cat((reference * -2, reference.square().sum(1, keepdim=True)), dim=1)


def _nearest(query: Tensor, reference: Tensor) -> Tensor:
    """Extended [P, C + 1] and [R, C + 1] -> the smallest product of every query, [P], block by block."""
    nearest = torch.full((len(query),), torch.inf, device=query.device)
    rows, columns = (_ROWS, _COLUMNS) if query.device.type == "cpu" else (_GPU_ROWS, _GPU_COLUMNS)
    product = torch.empty(rows * columns, device=query.device)
    for top in range(0, len(query), rows):
        block, best = query[top : top + rows], nearest[top : top + rows]
        for left in range(0, len(reference), columns):
            part = reference[left : left + columns].t()
            out = product[: len(block) * part.shape[1]].view(len(block), part.shape[1])
            torch.minimum(best, torch.mm(block, part, out=out).amin(1), out=best)
    return nearest


def tiled_order(height: int, width: int, rows: int = 8, columns: int = 8) -> Tensor:
    """The cells of a grid tile by tile: int64 [height * width], a permutation of its flat indices."""
    y, x = torch.arange(height)[:, None], torch.arange(width)[None]
    tile = (y // rows) * (-(-width // columns)) + x // columns
    return torch.argsort(tile.flatten(), stable=True)
