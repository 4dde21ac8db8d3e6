"""Computes cues for each object in closed form: similarity to annotated frames, and to the neighbouring frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

OWN = 15  # number of cues of an object itself: see `Cues.stack`
RIVAL = 4  # number of cues of the strongest other object
CUES = OWN + RIVAL
REACH = 2  # radius, in cells, of the window of the previous frame around the place that the flow leads to
RIDGE = 0.02  # penalty of the ridge regression, relative to the weight of all samples
LEAST_SIMILARITY = -1.0
# Cells that a CPU compares with the memory at once. All 2,304 of a frame took 102 ms with 5,600 cells in the memory,
# because their similarities, 52 MB, do not fit into the caches of the processor; in parts of 512 they take 50 ms.
CELLS_AT_ONCE = 512


@dataclass(frozen=True, eq=False)
class Memory:
    """M cells of all annotated frames, and how much of each belongs to each of n objects."""

    cells: Tensor  # [M, E], unit vectors
    columns: Tensor  # [M, 2n]: weight times share of each object, then the weight for each object
    scores: Tensor  # [E + 1, n]: the ridge regression of the objects' shares on the cells


def remembered(cells: Tensor, shares: Tensor, weights: Tensor) -> Memory:
    """Make a memory of cells [M, E] with the share of each object, [M, n] in 0..1, and weights [M, n].

    The weight of a cell for an object is 0 where it is unknown whether the object is there.
    """
    return Memory(cells, torch.cat([shares * weights, weights], 1), ridge(cells, shares, weights))


def ridge(cells: Tensor, shares: Tensor, weights: Tensor) -> Tensor:
    """Solve the target model, factors [E + 1, n]. An object and the rest have the same total weight."""
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


class Found(NamedTuple):
    """A soft read-out [..., n], and the largest similarities to the object and to everything else."""

    read: Tensor
    own: Tensor
    rest: Tensor


def read_memory(query: Tensor, memory: Memory, sharpness: Tensor) -> Found:
    """Read the memory of annotated frames for cells `query` [m, E]. Each result is [m, n]."""
    rows = CELLS_AT_ONCE if query.device.type == "cpu" else len(query)
    parts = (query * sharpness).split(rows)
    likeness = (torch.addmm(-sharpness, part, memory.cells.T).exp_() for part in parts)
    inside, total = torch.cat([part @ memory.columns for part in likeness]).chunk(2, 1)
    return _found(inside, total, sharpness)


def read_near(query: Tensor, before: Tensor, shares: Tensor, sharpness: Tensor, reach: int = REACH) -> Found:
    """Read the previous frame in a window around each cell, after warping it along the flow.

    `query` and `before` (warped) are [E, h, w], `shares` [n, h, w]. Each result is [h * w, n].
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
    """Evaluate the target model for cells `query` [m, E]. Return [m, n], about -1..1."""
    return query @ memory.scores[:-1] + memory.scores[-1]


def carried(values: Tensor, back: Tensor) -> Tensor:
    """Warp values of the neighbour [C, h, w] along the flow `back` [2, h, w] (x, y in cells of that size)."""
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
    """The neighbouring frame that was computed before this one, and the motion between both."""

    embedding: Tensor  # [E, h, w]
    masks: Tensor  # [n, 2h, 2w], probabilities at stride 4
    back: Tensor  # [2, 2h, 2w], flow in cells of stride 4
    trust: Tensor  # [1, 2h, 2w]


class Cues(NamedTuple):
    """The cues of n objects in a frame."""

    coarse: Tensor  # [n, CUES, h, w]
    fine: Tensor  # [n, 3, 2h, 2w]


def gather_cues(
    embedding: Tensor,
    memory: Memory,
    neighbour: Neighbour,
    earlier: Tensor | None,
    distances: tuple[float, float],
    sharpness: tuple[Tensor, Tensor],
) -> Cues:
    """Compute the cues of a frame.

    Args:
        embedding: [E, h, w] of this frame.
        earlier: [n, 2h, 2w], the probability maps of an earlier round in this frame, or None.
        distances: distances in frames to the start of the round, and to the nearest other annotated frame.
    """
    size = embedding.shape[-2:]
    query = embedding.flatten(1).T
    far = read_memory(query, memory, sharpness[0])
    scored = score(query, memory)
    moved = carried(neighbour.masks, neighbour.back)
    back8 = F.avg_pool2d(neighbour.back, 2) / 2
    shares = F.avg_pool2d(neighbour.masks, 2)
    near = read_near(embedding, carried(neighbour.embedding, back8), carried(shares, back8), sharpness[1])
    n = len(moved)
    moved8, trust8 = F.avg_pool2d(moved, 2), F.avg_pool2d(neighbour.trust, 2)

    def grid(values: Tensor) -> Tensor:
        return values.T.reshape(n, *size)

    # Similarities are given as their difference and their maximum, which have the scale of the other cues.
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
        parts += [2 * F.avg_pool2d(earlier, 2) - 1, torch.ones_like(moved8)]
    parts += list(_place(moved8))
    parts += [torch.full_like(moved8, _closeness(distance)) for distance in distances]
    own = torch.stack(parts, 1)
    before = torch.zeros_like(moved) if earlier is None else 2 * earlier - 1
    fine = torch.stack([moved, neighbour.trust.expand(n, -1, -1), before], 1)
    return Cues(torch.cat([own, _rivals(own)], 1), fine)


def _place(masks: Tensor) -> tuple[Tensor, Tensor]:
    """Return x and y of every cell relative to the warped mask [n, h, w], in units of its size, -2..2; 0 without a
    mask.
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
    """Return for each object the strongest cues of the others, [n, 4, h, w]: read-out, score, near read-out, warped
    mask.
    """
    chosen = torch.stack([own[:, cue] for cue in (0, 3, 4, 7)], 1)
    if len(own) == 1:
        none = torch.zeros_like(chosen)
        none[:, 1] = -1
        return none
    rows = [torch.cat([chosen[:i], chosen[i + 1 :]]).amax(0) for i in range(len(own))]
    return torch.stack(rows)
