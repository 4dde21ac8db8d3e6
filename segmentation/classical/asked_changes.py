"""Limits the changes of a corrected mask to what its scribbles ask for, and undoes all other changes.

A correction must not make the frame worse in which it is drawn. A scribble asks for pixels for its own object (or for
the background), near itself. So it takes no pixel from its own object, moves none between other objects, and changes
nothing far away: there the mask stays as it was, whatever an engine computes.

The frame must support what an object gains, too. Along a thin thing, such as a kite's line, a network often adds a wide
band that has the colours of everything around it and no edge where it ends. Then only the pixels under the scribble
change. What the background gains is not compared: it was part of the object because it looks like it.

And the engine must be sure of a change beside the scribble. Late corrections change little, and there a network that is
in doubt spoils as much as it mends.

This protects masks that are mostly right. An engine that propagates badly does better without it in a frame that nobody
drew on before: there the caller names the ids whose pixels may change everywhere.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from segmentation.classical.correction_reach import asked_region
from segmentation.masks import box_of
from segmentation.scribbles import NO_SCRIBBLE, dilate, rasterise
from segmentation.types import BinaryMask, FloatMap, Image, LabelMap, Scribble

# What an object gains, also beyond the reach of the scribble, is compared with the pixels around it, up to AROUND away
# (a share of the frame's longest side). The frame does not support it if their histograms of Lab colours, with SHADES
# values a channel, share more than ALIKE, and if the mean Lab colours on both sides of its outline, up to BESIDE away,
# differ by less than EDGE times what the histograms share (median of the outline).
ALIKE, AROUND, SHADES = 0.7, 7 / 512, 12
EDGE, BESIDE = 17.0, 2 / 512
FEWEST = 20  # Smaller changes, in pixels, are not compared.

# If pixels that change beside a scribble are fewer than LITTLE of the object, and the engine gives them a mean
# probability below DOUBTED, only those change of which it is SURE, because a small change that is in doubt spoils about
# as much as it mends. `python -m segmentation.evaluation.drawn_frames` counts the corrections that make their own frame
# worse.
LITTLE, DOUBTED, SURE = 0.08, 0.77, 0.9


def with_asked_changes(
    before: LabelMap,
    after: LabelMap,
    scribbles: Sequence[Scribble],
    picture: Image,
    probability: FloatMap,
    free: Collection[int] = (),
) -> LabelMap:
    """Return the mask `after`, with the pixels of `before` where no scribble asked for the change.

    A scribble asks for the pixels under it that get its id, and for those within `asked_region` that get it, if the
    frame supports what an object gains. Of a small change that the engine doubts, beside the scribble only the pixels
    count of which it is sure. Objects that are not in `before` may appear anywhere, and if `before` has no object at
    all, `after` is returned.

    Args:
        before: the mask of the frame before the interaction, uint8 [H, W].
        after: the mask that was computed from the interaction, uint8 [H, W].
        scribbles: the scribbles of the interaction.
        picture: the frame, uint8 RGB [H, W, 3].
        probability: the probability that the engine gives the id of each pixel in `after`, [H, W].
        free: the ids whose pixels in `before` change as in `after`, whatever the scribbles ask for.
    """
    changed = before != after
    if not changed.any() or not before.any():
        return after
    asked = np.isin(before, list(free))
    for scribble in scribbles:
        gained = (after == scribble.object_id) & changed
        right = before == scribble.object_id
        if right.any():
            drawn = rasterise([scribble], *right.shape)
            line = dilate(drawn, 1) != NO_SCRIBBLE
            supported = not scribble.object_id or _is_supported(picture, _touching(gained, line), line, right | gained)
            gained &= asked_region(drawn != NO_SCRIBBLE, right) if supported else line
            concerned = right if scribble.object_id else np.isin(before, before[gained])
            beside = probability[gained & ~line]
            if 0 < len(beside) < LITTLE * concerned.sum() and beside.mean() < DOUBTED:
                gained &= line | (probability > SURE)
        asked |= gained
    return np.where(asked | ~changed, after, before)


def _touching(gained: BinaryMask, line: BinaryMask) -> BinaryMask:
    """Return the parts of `gained` that are connected with the pixels `line` under a scribble."""
    _, parts = cv2.connectedComponents((gained | line).astype(np.uint8), connectivity=8)
    return gained & np.isin(parts, parts[line])


def _is_supported(picture: Image, gained: BinaryMask, line: BinaryMask, own: BinaryMask) -> bool:
    """Return whether the frame shows a thing where an object gains pixels: other colours than around it, or an edge.

    Args:
        picture: the frame, uint8 RGB [H, W, 3].
        gained: the pixels that the object gains, [H, W].
        line: the pixels under the scribble, whose colours are not compared.
        own: the pixels that do not count as surroundings, [H, W]: the object with what it gains.
    """
    side = max(gained.shape)
    reach, beside = max(1, round(AROUND * side)), max(1, round(BESIDE * side))
    box = box_of(gained & ~line)
    if box is None:
        return True
    inside = box.grown(reach + beside, *gained.shape).slices
    gained, own, compared = gained[inside], own[inside], (gained & ~line)[inside]
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    around = (cv2.dilate(compared.astype(np.uint8), disk) > 0) & ~own
    if min(compared.sum(), around.sum()) < FEWEST:
        return True
    lab = np.asarray(cv2.cvtColor(np.ascontiguousarray(picture[inside]), cv2.COLOR_RGB2LAB), np.uint8)
    shared = float(np.minimum(_colours(lab[compared]), _colours(lab[around])).sum())
    return shared <= ALIKE or _contrast(lab, gained, own, beside) >= EDGE * shared


def _contrast(lab: NDArray[np.uint8], gained: BinaryMask, own: BinaryMask, reach: int) -> float:
    """Return the median distance of the mean Lab colours on both sides of the outline of `gained`.

    The outline has the pixels outside of `own` that touch `gained`. The means are of the pixels up to `reach` away.
    """
    outside = ~own
    outline = (cv2.dilate(gained.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0) & outside
    if not outline.any():
        return np.inf
    difference = _local_mean(lab, gained, reach) - _local_mean(lab, outside, reach)
    return float(np.median(np.linalg.norm(difference[outline], axis=1)))


def _local_mean(lab: NDArray[np.uint8], part: BinaryMask, reach: int) -> FloatMap:
    """Return for each pixel the mean colour of the pixels of `part` in the square around it, float32 [H, W, 3]."""
    size, weights = (2 * reach + 1, 2 * reach + 1), part.astype(np.float32)
    total = cv2.blur(lab * weights[..., None], size)
    return np.asarray(total / np.maximum(cv2.blur(weights, size), np.finfo(np.float32).eps)[..., None], np.float32)


def _colours(lab: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the smoothed histogram of n colours [n, 3], with sum 1."""
    edges = [np.arange(SHADES + 1) * 256 / SHADES] * 3
    shares = np.histogramdd(lab, edges)[0] / len(lab)
    for axis in range(3):
        shares = shares / 2 + (np.roll(shares, 1, axis) + np.roll(shares, -1, axis)) / 4
    return shares
