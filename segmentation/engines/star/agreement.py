"""Compares the masks of drawn frames with each other before they enter the memory, so that their errors fade.

A drawn mask is certain under its scribbles and only likely elsewhere: a first mask often takes in things beside the
object. A person corrects that in another frame, because there it shows most, and the first mask stays as it is. So the
mask of each drawn frame is also predicted from the other frames of the memory, and a mixture of both enters the memory.
The mask that people see does not change, and accepted and painted masks count as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from segmentation.engines.star.given import NEAR, SEEN, CellRows, sample_cells
from segmentation.scribbles import NO_SCRIBBLE, rasterise
from segmentation.types import Scribble

# Far from scribbles, a cell has this share of what the other frames say; the rest is its own mask. `CARD.md` says what
# the vote gains.
OTHERS = 0.7
VOTERS = 4  # At most so many other frames are read: accepted ones first, then in the order of the memory.
HELD = 0.15  # Distance to a scribble at which its hold has fallen to 1/e, relative to the root of the object's area.


@dataclass(frozen=True, eq=False)
class RememberedFrame:
    """A frame of the memory, with n objects and h x w cells of 8 x 8 pixels."""

    embedding: Tensor  # [E, h, w]: the embedding of its cells
    shares: Tensor  # [n, h, w]: the share of each cell that each object covers
    known: Tensor  # [n]: 1 for objects whose place, or absence, the mask shows, else 0
    scribbles: Sequence[Scribble] | None  # None: the mask is certain, because somebody accepted or painted it


def agreed_cells(frames: Mapping[int, RememberedFrame], sharpness: Tensor) -> list[CellRows]:
    """Return the cells of all frames for the memory, each with the share of it that each object covers.

    In drawn frames these shares are mixed with those that the cells of other frames predict.

    `sharpness` is the factor of similarities in the softmax.
    """
    plain = {number: sample_cells(frame.embedding, frame.shares, frame.known) for number, frame in frames.items()}
    voters = sorted(
        (number for number in frames if _shown(plain[number]).any()),
        key=lambda number: frames[number].scribbles is not None,
    )
    result = []
    for number, frame in frames.items():
        others = [plain[other] for other in voters if other != number][:VOTERS]
        if frame.scribbles is None or not others:
            result.append(plain[number])
        else:
            shares = _agreed(frame, frame.scribbles, others, sharpness)
            result.append(sample_cells(frame.embedding, shares, frame.known))
    return result


def _shown(rows: CellRows) -> Tensor:
    """Return for each object whether the frame shows it, [n]. Only such frames tell what the object looks like."""
    return (rows.shares * rows.weights).sum(0) > 0


def _agreed(frame: RememberedFrame, scribbles: Sequence[Scribble], others: list[CellRows], sharpness: Tensor) -> Tensor:
    """Return the shares of the cells of a frame that objects cover, [n, h, w], mixed with predicted ones near the
    objects.

    The shares are predicted from the cells of the frames `others`.

    The other frames determine how much of a cell belongs to objects at all. To which object it belongs stays as it was
    drawn, because objects may look alike. Objects that no other frame shows keep their shares.
    """
    shares = frame.shares
    near = (F.max_pool2d(shares[None], 2 * NEAR + 1, 1, NEAR)[0] > SEEN).any(0).flatten()
    told = torch.stack([_shown(rows) for rows in others]).any(0)
    if not told.any():
        return shares
    query, own = frame.embedding.flatten(1).T[near], shares.flatten(1).T[near][:, told]
    inside, total = torch.zeros_like(own), torch.zeros_like(own)
    for rows in others:
        alike = torch.addmm(-sharpness, query * sharpness, rows.cells.T).exp_()
        inside = inside + alike @ (rows.shares * rows.weights)[:, told]
        total = total + alike @ rows.weights[:, told]
    tiny = torch.finfo(own.dtype).tiny
    read = inside / total.clamp_min(tiny)
    parts = torch.where(own.sum(1, keepdim=True) > 0, own, read)
    parts = parts / parts.sum(1, keepdim=True).clamp_min(tiny)  # [cells, told objects]: which object a cell shows
    free = 1 - _hold(scribbles, shares).flatten(1).T[near][:, told]
    before, said = own.sum(1, keepdim=True), read.sum(1, keepdim=True).clamp(max=1)
    after = before + OTHERS * (free * parts).sum(1, keepdim=True) * (said - before)
    mixed = shares.flatten(1).T.clone()
    room = 1 - mixed[:, ~told].sum(1, keepdim=True)
    mixed[near.nonzero(), told.nonzero()[:, 0]] = parts * torch.minimum(after, room[near].clamp_min(0))
    return mixed.T.reshape(shares.shape)


def _hold(scribbles: Sequence[Scribble], shares: Tensor) -> Tensor:
    """Return how strongly scribbles fix each cell of each object, [n, h, w]: 1 under a scribble, 0 far from it.

    `shares` [n, h, w] are the shares of the cells that the objects cover. The larger an object is, the farther a
    scribble reaches.
    """
    line = rasterise(scribbles, *shares.shape[1:]) != NO_SCRIBBLE
    distance = torch.from_numpy(cv2.distanceTransform((~line).astype(np.uint8), cv2.DIST_L2, 5)).to(shares)
    return torch.exp(-distance / (HELD * shares.sum((1, 2), keepdim=True).sqrt()).clamp_min(1e-3))
