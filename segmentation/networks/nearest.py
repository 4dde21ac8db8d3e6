"""Finds, for many vectors (queries), the exact distance to the nearest vector of a set (the references).

It uses matrix products of a size that fits into the caches. A large set is searched in two steps. Embeddings of pixels
lie near a subspace of few dimensions, and a distance within a subspace is never larger than the full distance. So a
product with 16 principal components out of 100 finds, for a block of queries, the references that could be nearer than
the nearest reference known so far. Only those few are compared in all dimensions.
"""

from __future__ import annotations

import torch
from torch import Tensor

_ROWS, _COLUMNS = 2048, 512  # Size of a block of the full product: 4 MB, about the size of the caches of two cores.
_GPU_ROWS, _GPU_COLUMNS = 1 << 14, 1 << 13
_PRUNE_FROM = 2048  # Number of references from which on the first step saves time.
_COMPONENTS = 16  # Number of principal components in the first step.
_BLOCK = 64  # Number of queries for which references are chosen together; with 20,000 references they need 5 MB.
_COARSE = 16  # Every 16th reference serves for the first upper bound of the distance.
_SLACK = 1e-4  # Added to the bound, as a share of the squared norms: far above rounding errors, far below distances.


class NearestReference:
    """Computes distances to the nearest of R vectors, `reference` [R, C] with R >= 1.

    They are prepared once for any number of searches.
    """

    def __init__(self, reference: Tensor) -> None:
        self._extended = _extended_reference(reference.float())  # [R, C + 1]
        self._pruned = len(reference) >= _PRUNE_FROM and reference.device.type == "cpu"
        if self._pruned:
            self._prepare(reference.float())

    def _prepare(self, reference: Tensor) -> None:
        self._mean = reference.mean(0)
        centred = reference - self._mean
        _, axes = torch.linalg.eigh(centred.t() @ centred)  # Axes are in ascending order of eigenvalues.
        self._axes = axes[:, -_COMPONENTS:].contiguous()  # [C, k]
        inner = centred @ self._axes
        norms = inner.square().sum(1, keepdim=True)
        self._inner = torch.cat((-2 * inner, norms, torch.ones_like(norms)), dim=1).t().contiguous()  # [k + 2, R]
        self._largest = self._extended[:, -1].max()

    def squared(self, query: Tensor) -> Tensor:
        """Return the squared distance of every row of `query` [P, C] to the nearest reference, float32 [P].

        This is fast if consecutive rows are pixels near each other in the image (see `tiled_order`).
        """
        query = query.float()
        norms = query.square().sum(1)
        extended = _extended_query(query)
        if not self._pruned:
            return _nearest(extended, self._extended).add_(norms)
        nearest = _nearest(extended, self._extended[::_COARSE])  # An upper bound, which is often the result.
        inner = (query - self._mean) @ self._axes
        bound = nearest + norms + _SLACK * (norms + self._largest)
        left = torch.cat((inner, torch.ones_like(inner[:, :1]), (inner.square().sum(1) - bound)[:, None]), dim=1)
        product = torch.empty(_BLOCK, len(self._extended))
        for top in range(0, len(query), _BLOCK):
            rows = slice(top, top + _BLOCK)
            # [B, R]: distance inside the subspace minus the bound. If it is below 0, the reference may be nearer.
            excess = torch.mm(left[rows], self._inner, out=product[: len(left[rows])])
            chosen = torch.nonzero(excess.amin(0) <= 0)[:, 0]
            if len(chosen):
                found = torch.mm(extended[rows], self._extended[chosen].t()).amin(1)
                torch.minimum(nearest[rows], found, out=nearest[rows])
        return nearest.add_(norms)


def nearest_squared(query: Tensor, reference: Tensor) -> Tensor:
    """Return the squared distance of each row of `query` [P, C] to the nearest row of `reference` [R, C].

    The result is float32 [P]; R must be at least 1.
    """
    query = query.float()
    return _nearest(_extended_query(query), _extended_reference(reference.float())).add_(query.square().sum(1))


# For a query q and a reference r, -2 q.r + |r|^2 is a single matrix product with an extra column. The rest of the
# squared distance, |q|^2, does not change which r is nearest, and is added last.


def _extended_query(query: Tensor) -> Tensor:
    return torch.cat((query, torch.ones_like(query[:, :1])), dim=1)


def _extended_reference(reference: Tensor) -> Tensor:
    return torch.cat((reference * -2, reference.square().sum(1, keepdim=True)), dim=1)


def _nearest(query: Tensor, reference: Tensor) -> Tensor:
    """Return, for each row of `query` [P, C + 1], the smallest scalar product with a row of `reference` [R, C + 1].

    The arguments are the results of `_extended_query` and `_extended_reference`. The result is [P].
    """
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
    """Return the flat indices of the pixels of an image, ordered tile by tile, int64 [height * width].

    A tile has `rows` x `columns` pixels, so that consecutive indices are of pixels near each other.
    """
    y, x = torch.arange(height)[:, None], torch.arange(width)[None]
    tile = (y // rows) * (-(-width // columns)) + x // columns
    return torch.argsort(tile.flatten(), stable=True)
