"""Traces the outlines of a mask along the borders of its pixels, so that the outlines describe the mask exactly."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from segmentation.types import BinaryMask

Point = tuple[int, int]  # x, y: a corner of pixels; (0, 0) is the upper left corner of the upper left pixel.
Ring = list[Point]  # The corners of a closed outline, with the object on its right hand. The last joins to the first.


@dataclass
class Region:
    """A connected part of a mask: its outline, and the outlines of its holes. Pixels connect by their sides."""

    outline: Ring
    holes: list[Ring] = field(default_factory=list)


def trace(inside: BinaryMask) -> list[Region]:
    """Return the regions of a mask, bool [H, W], from top to bottom. All sides of their outlines are axis-parallel.

    Two pixels that touch only at a corner are not connected by it.
    """
    rings = list(_rings(inside))
    owner = np.zeros((inside.shape[0], inside.shape[1] + 1), np.int32)  # 1 + the ring of each vertical side
    for number, ring in enumerate(rings, 1):
        for (x, y), (_, end) in _sides(ring):
            owner[min(y, end) : max(y, end), x] = number
    regions: dict[int, Region] = {}
    region_of: dict[int, Region] = {}
    holes = []
    for number, ring in enumerate(rings, 1):
        if _area(ring) > 0:
            regions[number] = region_of[number] = Region(ring)
        else:
            holes.append((*min(ring), number))
    for x, y, number in sorted(holes):
        # Left of the leftmost side of a hole lies its region, and the nearest side there is one of that region.
        left = int(np.flatnonzero(owner[y, :x])[-1])
        region_of[number] = region_of[int(owner[y, left])]
        region_of[number].holes.append(rings[number - 1])
    return list(regions.values())


def _sides(ring: Ring) -> Iterator[tuple[Point, Point]]:
    """Yield the vertical sides of an outline."""
    for start, end in zip(ring, [*ring[1:], ring[0]], strict=True):
        if start[0] == end[0]:
            yield start, end


def _area(ring: Ring) -> int:
    """Return the area inside an outline, which is negative for a hole."""
    return sum(x * (end - start) for (x, start), (_, end) in _sides(ring))


def _rings(inside: BinaryMask) -> Iterator[Ring]:
    """Yield all closed outlines. Their sides run with the object on the right hand, as seen on a screen."""
    padded = np.pad(inside, 1).astype(np.int8)
    across = np.diff(padded, axis=0)[:, 1:-1]  # [H + 1, W]: 1 where the object lies below, -1 where it lies above
    down = np.diff(padded, axis=1)[1:-1].T  # [W + 1, H]: 1 where the object lies right, -1 where it lies left
    sides = [((x, y), (end, y)) for y, x, end in _runs(across)]
    leaving: dict[Point, list[Point]] = {}  # The ends of the horizontal and vertical sides that begin at a corner.
    for start, end in [*sides, *(((x, y), (x, end)) for x, y, end in _runs(-down))]:
        leaving.setdefault(start, []).append(end)
    for first, second in sides:
        if second not in leaving[first]:
            continue  # This side is part of an outline that was found before.
        ring, before, at = [first], first, second
        # An outline can pass its first corner twice, so it ends only where its first side is the next one.
        while (end := _after(before, at, leaving[at])) != second or at != first:
            ring.append(at)
            leaving[at].remove(end)
            before, at = at, end
        leaving[first].remove(second)
        yield ring


def _after(before: Point, at: Point, ends: list[Point]) -> Point:
    """Return the end of the side that follows the side from `before` to `at`.

    `ends` are the ends of the sides that begin at `at`. Of two, the one to the right is returned.
    """
    if len(ends) == 1:
        return ends[0]
    right = before[1] - at[1], at[0] - before[0]
    return next(end for end in ends if (end[0] - at[0]) * right[0] + (end[1] - at[1]) * right[1] > 0)


def _runs(values: NDArray[np.int8]) -> Iterator[tuple[int, int, int]]:
    """Yield row, start and end of each run of equal values other than 0 in the rows of an array.

    Runs of -1 have start and end swapped.
    """
    rows, columns = values.shape
    padded = np.zeros((rows, columns + 2), np.int8)
    padded[:, 1:-1] = values
    row, edge = np.nonzero(np.diff(padded, axis=1))
    sign = padded[row, edge + 1]  # The value that begins at an edge; 0 where a run ends without another one.
    starts = np.flatnonzero(sign)
    for at, positive in zip(starts.tolist(), (sign[starts] > 0).tolist(), strict=True):
        first, last = int(edge[at]), int(edge[at + 1])
        yield int(row[at]), *((first, last) if positive else (last, first))
