"""Draws a scribble as a person would: through the middle of a region from one end to the other, or casually.

The robot of davisinteractive draws similar, but not equal scribbles. The ends of the scribble are found on a coarse
grid: one is the cell farthest from the deepest cell, the other one is the cell farthest from the first end. The
scribble is a path between them that avoids the region's border.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from segmentation.masks import box_of
from segmentation.types import LabelMap, Scribble

GRID = 64  # longest side of the grid on which the path is searched; a finer grid gives a similar path more slowly
Mask = NDArray[np.bool_]
Point = tuple[int, int]  # row, column


def first_strokes(truth: LabelMap, num_objects: int) -> tuple[Scribble, ...]:
    """Draw one scribble through the middle of the largest part of each object that the frame shows."""
    found = [(i, largest_part(truth == i)) for i in range(1, num_objects + 1)]
    return tuple(Scribble(i, middle_path(part)) for i, part in found if part.any())


def correcting_stroke(truth: LabelMap, predicted: LabelMap) -> Scribble | None:
    """Draw a scribble in the largest connected region in which the mask lacks one id; None if nothing is wrong."""
    found = largest_error(truth, predicted)
    return None if found is None else Scribble(found[0], middle_path(found[1]))


def largest_error(truth: LabelMap, predicted: LabelMap) -> tuple[int, Mask] | None:
    """Return the largest connected region in which the mask lacks one id, and that id; None if nothing is wrong."""
    wrong = truth != predicted
    parts = [(int(i), largest_part(wrong & (truth == i))) for i in np.unique(truth[wrong])]
    return max(parts, key=lambda entry: int(entry[1].sum())) if parts else None


def casual_stroke(random: np.random.Generator, mask: Mask, number: int) -> Scribble:
    """Draw a scribble of object `number` in the largest part of `mask`, less carefully than along its middle.

    Six times in ten it is a random part of the middle path, else of a random path that wanders inside the region.
    `mask` is bool [H, W] and not empty.
    """
    part = largest_part(mask)
    path = middle_path(part) if random.random() < 0.6 else _wander(random, part)
    return Scribble(number, _shorten(random, path))


def largest_part(mask: Mask) -> Mask:
    """Return the largest 8-connected component of `mask`."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    if count < 2:
        return mask
    part: Mask = labels == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    return part


def middle_path(mask: Mask) -> NDArray[np.float64]:
    """Return points (x, y) in 0..1 along the middle of a connected region, float64 [n, 2].

    Raises:
        ValueError: the mask is empty.
    """
    height, width = mask.shape
    box = box_of(mask)
    if box is None:
        raise ValueError("mask: empty, there is nothing to draw on")
    # Distances to the border are computed at full size, so that a thin region has a middle on the coarse grid too.
    depth = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1][box.slices]
    cell = max(1, int(np.ceil(max(depth.shape) / GRID)))
    rows, columns = (int(np.ceil(side / cell)) for side in depth.shape)
    padded = np.zeros((rows * cell, columns * cell))
    padded[: depth.shape[0], : depth.shape[1]] = depth
    cells = padded.reshape(rows, cell, columns, cell).swapaxes(1, 2).reshape(rows, columns, -1)
    route = _route(cells.max(axis=2))
    # A cell of the path becomes the pixel inside the cell that is farthest from the border.
    points = []
    for row, column in route:
        y, x = divmod(int(cells[row, column].argmax()), cell)
        points.append((box.x0 + column * cell + x, box.y0 + row * cell + y))
    return np.array(points, dtype=float) / (max(width - 1, 1), max(height - 1, 1))


def _shorten(random: np.random.Generator, path: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a random part of the path, at least a third of it, because people seldom draw from end to end."""
    keep = max(1, round(len(path) * random.uniform(0.33, 1.0)))
    start = int(random.integers(0, len(path) - keep + 1))
    return path[start : start + keep]


def _wander(random: np.random.Generator, mask: Mask) -> NDArray[np.float64]:
    """Return a smooth random path inside `mask`, which is not empty: points (x, y) in 0..1."""
    height, width = mask.shape
    depth = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 3)[1:-1, 1:-1]
    ys, xs = np.nonzero(depth >= 0.5 * depth.max())
    chosen = int(random.integers(len(ys)))
    point, heading = np.array([xs[chosen], ys[chosen]], float), random.uniform(0, 2 * np.pi)
    step = max(2.0, 0.02 * width)
    walk = [point]
    for _ in range(int(random.integers(4, 24))):
        for turn in (0.5, 1.2, 3.0):  # tries sharper turns until the next point lies inside `mask`
            towards = heading + random.normal(0, turn)
            reached = point + step * np.array([np.cos(towards), np.sin(towards)])
            x, y = np.round(reached).astype(int)
            if 0 <= x < width and 0 <= y < height and mask[y, x]:
                point, heading = reached, towards
                walk.append(point)
                break
        else:
            break
    return np.clip(np.array(walk) / (max(width - 1, 1), max(height - 1, 1)), 0, 1)


def _route(depth: NDArray[np.float64]) -> list[Point]:
    """Return the grid cells of a path between the two ends of a region that avoids its border.

    `depth` is the distance of each cell to the border, 0 outside the region.
    """
    inside = depth >= 0.3 * depth.max()
    graph, nodes = _graph(depth, inside)
    start = int(depth[nodes[:, 0], nodes[:, 1]].argmax())
    end = _farthest(graph, start)
    other = _farthest(graph, end)
    _, before = dijkstra(graph, directed=False, indices=end, return_predecessors=True)
    path = [other]
    while path[-1] != end:
        path.append(int(before[path[-1]]))
    return [(int(r), int(c)) for r, c in nodes[path]]


def _farthest(graph: csr_array, node: int) -> int:
    distance = dijkstra(graph, directed=False, indices=node)
    return int(np.where(np.isfinite(distance), distance, -1).argmax())


def _graph(depth: NDArray[np.float64], inside: Mask) -> tuple[csr_array, NDArray[np.intp]]:
    """Return the 8-neighbour graph of the cells `inside`, and these cells. Steps near the border cost more in it."""
    nodes = np.argwhere(inside)
    number = np.full((inside.shape[0] + 2, inside.shape[1] + 2), -1)
    number[1:-1, 1:-1][inside] = np.arange(len(nodes))
    cost = depth.max() / np.maximum(depth, 1e-6)
    sources, targets, weights = [], [], []
    for dy, dx in ((0, 1), (1, 0), (1, 1), (1, -1)):
        neighbour = number[nodes[:, 0] + 1 + dy, nodes[:, 1] + 1 + dx]
        here = np.flatnonzero(neighbour >= 0)
        there = neighbour[here]
        step = np.hypot(dy, dx) * (cost[tuple(nodes[here].T)] + cost[tuple(nodes[there].T)])
        sources.append(here)
        targets.append(there)
        weights.append(step)
    edges = (np.concatenate(sources), np.concatenate(targets))
    return csr_array((np.concatenate(weights), edges), shape=(len(nodes), len(nodes))), nodes
