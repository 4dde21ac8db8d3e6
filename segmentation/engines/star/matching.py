"""Computes the cues of each object in a frame: maps that tell where it may be, from which the decoder makes its mask.

They are computed in closed form from the similarity of the frame's cells (8 x 8 pixels) to cells of annotated frames
(the memory) and of the adjacent frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

OWN = 15  # Number of cues of an object itself, see `gather_cues`.
RIVAL = 4  # Number of cues of the strongest other object, see `_rivals`.
CUES = OWN + RIVAL
MOVED = 7  # Index of the warped mask of the adjacent frame among the cues.
REACH = 2  # A cell is compared with cells of the adjacent frame up to this far from where the flow leads, in cells.
RIDGE = 0.02  # Penalty of the ridge regression, relative to the weight of all samples.
LEAST_SIMILARITY = -1.0
# Number of cells that a CPU compares with the memory at once, so few that their similarities stay in the caches of the
# processor. Those of all cells of a frame do not fit.
CELLS_AT_ONCE = 128


@dataclass(frozen=True, eq=False)
class Memory:
    """M cells of annotated frames, and what share of each cell each of n objects covers."""

    cells: Tensor  # [M, E]: embeddings, unit vectors
    columns: Tensor  # [M, 2n]: weight times share of each object, then the weight for each object
    scores: Tensor  # [E + 1, n]: factors of the linear model of each object, see `ridge`

    def last_cells(self, count: int) -> Memory:
        """Return a memory with the same linear models that keeps only the last `count` cells.

        It is for frames that were compared with the other cells before.
        """
        first = len(self.cells) - count
        return Memory(self.cells[first:], self.columns[first:], self.scores)


def remembered(cells: Tensor, shares: Tensor, weights: Tensor) -> Memory:
    """Make a memory of M cells.

    Args:
        cells: the embeddings of the cells, [M, E].
        shares: the share of each cell that each object covers, [M, n] in 0..1.
        weights: the weight of each cell for each object, [M, n]; 0 if it is unknown whether the object is there.
    """
    return Memory(cells, torch.cat([shares * weights, weights], 1), ridge(cells, shares, weights))


def ridge(cells: Tensor, shares: Tensor, weights: Tensor) -> Tensor:
    """Fit a linear model for each object that predicts from a cell whether it belongs to the object (1) or not (-1).

    It is fitted by ridge regression, in which the object and the rest have the same total weight. Return the factors
    [E + 1, n], the last row of which are the offsets. The arguments are those of `remembered`.
    """
    x = torch.cat([cells, torch.ones_like(cells[:, :1])], 1)
    result = []
    for own, weight in zip(shares.unbind(1), weights.unbind(1), strict=True):
        positive, negative = (weight * own).sum(), (weight * (1 - own)).sum()
        w = weight * (own / positive.clamp_min(1e-3) + (1 - own) / negative.clamp_min(1e-3)) / 2
        weighted = x * w[:, None]
        gram = weighted.T @ x
        gram = gram + RIDGE / cells.shape[1] * torch.eye(len(gram), device=gram.device)
        result.append(torch.linalg.solve(gram, weighted.T @ (2 * own - 1)))
    return torch.stack(result, 1)


class Sums(NamedTuple):
    """For each of m cells of a frame and n objects, sums over cells of the memory, weighted by their similarity to it.

    Both tensors are [m, n]. The sums over two sets of cells may be added if no cell is in both.
    """

    inside: Tensor  # of what share of the cells each of n objects covers
    total: Tensor  # of the cells for which it is known whether the object covers them


class Found(NamedTuple):
    """The similarity of each cell of a frame to the cells of annotated frames, for each of n objects.

    All tensors are [cells, n].
    """

    read: Tensor  # mean share of the object in the cells of the memory, weighted by similarity, 0..1
    own: Tensor  # about the largest similarity to cells of the object
    rest: Tensor  # about the largest similarity to all other cells


def compare(query: Tensor, memory: Memory, sharpness: Tensor) -> Sums:
    """Compare the m cells `query` [m, E] of a frame with all cells of the memory, and return sums over the cells of the
    memory, weighted by similarity.

    `sharpness` is the factor of the similarities in the softmax.
    """
    rows = CELLS_AT_ONCE if query.device.type == "cpu" else len(query)
    parts = (query * sharpness).split(rows)
    likeness = (torch.addmm(-sharpness, part, memory.cells.T).exp_() for part in parts)
    columns = memory.columns.T.contiguous()  # A product with few rows is faster than one with few columns.
    return Sums(*torch.cat([columns @ part.T for part in likeness], 1).T.chunk(2, 1))


def read_memory(query: Tensor, memory: Memory, sharpness: Tensor, more: Sums | None = None) -> Found:
    """Return how similar each of the m cells `query` [m, E] of a frame is to the cells of each of n objects in the
    memory.

    All tensors of the result are [m, n].

    `sharpness` is the factor of the similarities in the softmax. `more` are the sums over further cells of the memory,
    to which the frame was compared before.
    """
    inside, total = compare(query, memory, sharpness)
    if more is not None:
        inside, total = inside + more.inside, total + more.total
    return _found(inside, total, sharpness)


def read_near(query: Tensor, before: Tensor, shares: Tensor, sharpness: Tensor, reach: int = REACH) -> Found:
    """Return how similar each cell of a frame is to the cells of each of n objects near it in the adjacent frame.

    All tensors of the result are [h * w, n].

    Args:
        query: the embedding of the frame, [E, h, w].
        before: the embedding of the adjacent frame, warped to this frame along the flow, [E, h, w].
        shares: the share of each cell of `before` that each object covers, [n, h, w].
        sharpness: the factor of the similarities in the softmax.
        reach: the largest distance of compared cells in x and y.
    """
    _, height, width = query.shape
    side = 2 * reach + 1
    before, shares = (F.pad(part, (reach,) * 4) for part in (before, shares))
    places = [(slice(y, y + height), slice(x, x + width)) for y in range(side) for x in range(side)]
    scaled = query * sharpness
    likeness = torch.stack([(scaled * before[:, y, x]).sum(0) for y, x in places]).sub_(sharpness).exp_()
    total = likeness.sum(0)
    inside = sum((each * shares[:, y, x] for each, (y, x) in zip(likeness, places, strict=True)), torch.zeros(()))
    return _found(inside.flatten(1).T, total.flatten()[:, None], sharpness)


def _found(inside: Tensor, total: Tensor, sharpness: Tensor) -> Found:
    tiny = 1e-9
    own, rest = (torch.log(part.clamp_min(tiny)) / sharpness + 1 for part in (inside, total - inside))
    return Found(inside / total.clamp_min(tiny), own.clamp_min(LEAST_SIMILARITY), rest.clamp_min(LEAST_SIMILARITY))


def score(query: Tensor, memory: Memory) -> Tensor:
    """Evaluate the linear model of each object (`ridge`) for cells `query` [m, E]. Return [m, n], about -1..1."""
    return query @ memory.scores[:-1] + memory.scores[-1]


def carried(values: Tensor, back: Tensor) -> Tensor:
    """Warp maps [C, h, w] of the adjacent frame to this frame, along the flow `back` [2, h, w] (x and y, in cells)."""
    _, height, width = values.shape
    y, x = torch.meshgrid(
        torch.arange(height, device=values.device), torch.arange(width, device=values.device), indexing="ij"
    )
    grid = torch.stack(
        [2 * (x + back[0] + 0.5) / width - 1, 2 * (y + back[1] + 0.5) / height - 1],
        -1,
    )
    return F.grid_sample(values[None], grid[None], padding_mode="border", align_corners=False)[0]


@dataclass(frozen=True, eq=False)
class Neighbour:
    """The adjacent frame whose masks are known already, and the motion of the present frame to it."""

    embedding: Tensor  # [E, h, w]
    masks: Tensor  # [n, 2h, 2w]: probability maps at stride 4
    back: Tensor  # [2, 2h, 2w]: flow from the present frame to this one, in cells of stride 4
    trust: Tensor  # [1, 2h, 2w]: how reliable the flow is, 0..1


class Cues(NamedTuple):
    """The cues of n objects in a frame: maps that tell where an object may be, the inputs of the decoder."""

    coarse: Tensor  # [n, CUES, h, w], at stride 8
    fine: Tensor  # [n, 3, 2h, 2w], at stride 4: warped mask, trust of the flow, mask of an earlier round


def gather_cues(
    embedding: Tensor,
    memory: Memory,
    neighbour: Neighbour,
    earlier: Tensor | None,
    distances: tuple[float, float],
    sharpness: tuple[Tensor, Tensor],
    more: Sums | None = None,
) -> Cues:
    """Compute the cues of n objects in a frame.

    Args:
        embedding: the embedding of this frame, [E, h, w].
        memory: the cells of annotated frames.
        neighbour: the adjacent frame whose masks are known.
        earlier: the probability maps of an earlier round in this frame, [n, 2h, 2w], or None.
        distances: distances in frames to the start of the round, and to the nearest other annotated frame.
        sharpness: the factors of similarities to the memory and to the adjacent frame.
        more: sums over annotated cells from an earlier comparison of this frame with other frames, which are added.
    """
    size = embedding.shape[-2:]
    query = embedding.flatten(1).T
    far = read_memory(query, memory, sharpness[0], more)
    scored = score(query, memory)
    moved = carried(neighbour.masks, neighbour.back)
    back8 = F.avg_pool2d(neighbour.back, 2) / 2
    shares = F.avg_pool2d(neighbour.masks, 2)
    near = read_near(embedding, carried(neighbour.embedding, back8), carried(shares, back8), sharpness[1])
    n = len(moved)
    moved8, trust8 = F.avg_pool2d(moved, 2), F.avg_pool2d(neighbour.trust, 2)

    def grid(values: Tensor) -> Tensor:
        return values.T.reshape(n, *size)

    # The two similarities are replaced by their difference and their maximum, scaled to about -1..1 like other cues.
    parts = [
        grid(far.read),
        5 * grid(far.own - far.rest),
        2 * grid(torch.maximum(far.own, far.rest)) - 1,
        grid(scored),
        grid(near.read),
        5 * grid(near.own - near.rest),
        2 * grid(torch.maximum(near.own, near.rest)) - 1,
        moved8,
        trust8.expand(n, -1, -1),
    ]
    if earlier is None:
        nothing = torch.zeros_like(moved8)
        parts += [nothing, nothing]
    else:
        nothing = torch.zeros_like(moved8[len(earlier) :])
        seen = 2 * F.avg_pool2d(earlier, 2) - 1
        parts += [torch.cat([seen, nothing]), torch.cat([torch.ones_like(seen), nothing])]
    parts += list(_place(moved8))
    parts += [torch.full_like(moved8, _closeness(distance)) for distance in distances]
    own = torch.stack(parts, 1)
    before = torch.zeros_like(moved)
    if earlier is not None:
        before[: len(earlier)] = 2 * earlier - 1
    fine = torch.stack([moved, neighbour.trust.expand(n, -1, -1), before], 1)
    return Cues(torch.cat([own, _rivals(own)], 1), fine)


def _place(masks: Tensor) -> tuple[Tensor, Tensor]:
    """Return x and y of every cell relative to the centre of each mask [n, h, w], in units of the mask's size, -2..2.

    They are 0 for an empty mask.
    """
    _, height, width = masks.shape
    y = torch.arange(height, device=masks.device)[None, :, None].expand_as(masks)
    x = torch.arange(width, device=masks.device)[None, None, :].expand_as(masks)
    mass = masks.sum((1, 2), keepdim=True)
    there = (mass > 0.5).to(masks.dtype)
    mass = mass.clamp_min(0.5)
    found = []
    for place in (x, y):
        mean = (masks * place).sum((1, 2), keepdim=True) / mass
        spread = ((masks * (place - mean) ** 2).sum((1, 2), keepdim=True) / mass).sqrt() + 1
        found.append(((place - mean) / (2 * spread)).clamp(-2, 2) * there)
    return found[0], found[1]


def _closeness(distance: float) -> float:
    return 1 / (1 + distance / 5)


def _rivals(own: Tensor) -> Tensor:
    """Return for each object the largest value that any other object has in four of the cues, [n, 4, h, w].

    The cues are the read-out of the memory, the score of the linear model, the read-out of the adjacent frame, and the
    warped mask. `own` [n, OWN, h, w] are the cues of each object itself.
    """
    chosen = torch.stack([own[:, cue] for cue in (0, 3, 4, MOVED)], 1)
    if len(own) == 1:
        none = torch.zeros_like(chosen)
        none[:, 1] = -1
        return none
    rows = [torch.cat([chosen[:i], chosen[i + 1 :]]).amax(0) for i in range(len(own))]
    return torch.stack(rows)
