"""Finds what looks like the objects of annotated frames and is none of them, for example the others of a group.

Where such a look-alike passes an object, appearance does not tell the two apart, and nothing follows the look-alike. So
all look-alikes are followed together as one more object, which nobody sees. It competes with the objects for pixels.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from segmentation.engines.star.given import SEEN, Given
from segmentation.engines.star.matching import CELLS_AT_ONCE

# A cell outside of the objects looks like them if it is more similar to their cells, all together, than to all other
# cells that are not near it. Near it are cells up to the root of the mean area of an object, and at least FAR cells.
FAR = 3.0
APART = 1  # Cells up to this far from an object do not count, because they may show a part of it.
FILLED = 0.6  # A look-alike has a cell with at least this share of look-alike cells among it and its neighbours.
LARGE = 0.5  # A part that touches an object whose mask is not sure counts from this share of the smallest object on.
SPARSE = 8  # Cells that are less similar to the objects than to every eighth other cell are left out early.


def with_look_alikes(
    given: Mapping[int, Given], embeddings: Mapping[int, Tensor], sure: Collection[int], sharpness: Tensor
) -> dict[int, Given]:
    """Return the annotated frames with a further mask in each, that of the look-alikes of all objects.

    If there are none in any frame, the frames are returned as they are. A frame that does not tell where each object is
    tells nothing of look-alikes.

    Args:
        given: the annotated frames with their masks.
        embeddings: the embedding of each of these frames, [E, h, w].
        sure: the frames whose masks people accepted or painted.
        sharpness: the factor of similarities in the softmax.
    """
    found = {}
    for frame, each in given.items():
        # What looks like the others may be an object that was drawn later, in another frame.
        if bool(each.known.all()):
            found[frame] = look_alikes(embeddings[frame], each.shares, sharpness, touching=frame in sure)
        else:
            found[frame] = torch.zeros_like(each.shares[0])
    if not any(bool(cells.any()) for cells in found.values()):
        return dict(given)
    return {frame: _joined(each, found[frame]) for frame, each in given.items()}


def look_alikes(embedding: Tensor, shares: Tensor, sharpness: Tensor, touching: bool = True) -> Tensor:
    """Return the cells of a frame that look like one of its n objects and are none of them, [h, w], 0 or 1.

    Args:
        embedding: the embedding of the frame, [E, h, w].
        shares: the share of each cell that each object covers, [n, h, w].
        sharpness: the factor of similarities in the softmax.
        touching: whether look-alikes may touch an object. If its mask is not sure, they may be parts that it lacks.
    """
    covered = shares.sum(0).clamp(0, 1)
    sizes = shares.sum((1, 2))
    found = torch.zeros_like(covered)
    if not bool((sizes > 1).any()):
        return found
    far = max(FAR, float(sizes[sizes > 1].mean().sqrt()))
    near = F.max_pool2d(covered[None, None], 2 * APART + 1, 1, APART)[0, 0] > SEEN
    cells, inside = embedding.flatten(1).T, covered.flatten()
    rows, columns = torch.meshgrid(*(torch.arange(size) for size in covered.shape), indexing="ij")
    place = torch.stack([rows.flatten(), columns.flatten()], 1).to(cells)
    objects = torch.nonzero(inside)[:, 0]
    at_once = CELLS_AT_ONCE if cells.device.type == "cpu" else len(cells)
    for candidates in torch.nonzero(~near.flatten())[:, 0].split(at_once):
        own = torch.exp(sharpness * (cells[candidates] @ cells[objects].T - 1)) @ inside[objects]
        for step in (SPARSE, 1):
            like = torch.exp(sharpness * (cells[candidates] @ cells[::step].T - 1))
            apart = torch.cdist(place[candidates], place[::step]) > far
            alike = own > (like * apart) @ (1 - inside[::step])
            candidates, own = candidates[alike], own[alike]
        found.view(-1)[candidates] = 1
    filled = (F.avg_pool2d(found[None, None], 3, 1, 1) >= FILLED).to(found)
    found = F.max_pool2d(filled, 3, 1, 1)[0, 0] * found
    return found if touching else _apart(found, near, LARGE * float(sizes[sizes > 1].min()))


def _apart(found: Tensor, near: Tensor, large: float) -> Tensor:
    """Return those connected parts of `found` that are not beside `near`, or have at least `large` cells.

    All are [h, w].
    """
    _, parts = cv2.connectedComponents((found.cpu().numpy() > 0).astype(np.uint8), connectivity=8)
    sizes = np.bincount(parts.ravel())
    beside = np.unique(parts[F.max_pool2d(near[None, None].to(found), 3, 1, 1)[0, 0].cpu().numpy() > 0])
    left_out = beside[sizes[beside] < large]
    return found * torch.from_numpy(~np.isin(parts, left_out)).to(found)


def _joined(given: Given, cells: Tensor) -> Given:
    rest = (1 - given.masks.sum(0)).clamp(0, 1)
    mask = F.interpolate(cells[None, None], size=rest.shape, mode="bilinear", align_corners=False)[0] * rest
    return replace(
        given, masks=torch.cat([given.masks, mask]), known=torch.cat([given.known, given.known.amin()[None]])
    )
