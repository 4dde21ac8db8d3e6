"""Segments an object in the frame that was drawn on by GrabCut (Rother et al., SIGGRAPH 2004), from its scribbles."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from segmentation.classical.correction_reach import possible_region
from segmentation.classical.motion import Motion
from segmentation.classical.scaled_frames import ScaledFrame
from segmentation.classical.seeding import ScribbleDistances, Seeds, object_likelihood
from segmentation.masks import box_of
from segmentation.types import BinaryMask, FloatMap

SIDE = 214  # Longest side in pixels of the frame for GrabCut, whose time grows with the number of pixels.
ITERATIONS = 2
LEAST = 0.35  # Pixels with a lower likelihood stay background, because GrabCut leaks along strong edges.
CERTAIN = 0.1  # Below this likelihood pixels are certain background, above 1 - CERTAIN certain object.
# Distance up to which a scribble far from the edge of the mask corrects it: the larger of a share of the longer side of
# the scribbles' bounding box and a share of the frame's longer side.
REACH_OF_SIDE, REACH_OF_FRAME = 0.35, 0.08
CONTEXT = 0.12  # Width of the known background around the region, as a share of the longest side.


def cut_object(
    scaled: ScaledFrame, motion: Motion | None, seeds: Seeds, unlikely: BinaryMask, seed: int
) -> tuple[BinaryMask, FloatMap]:
    """Segment the object under the scribbles `seeds.positive` by GrabCut, in the frame `scaled`.

    Args:
        scaled: the frame, at the size [h, w] that the maps have.
        motion: its motion to an adjacent frame, None if there is no other frame.
        seeds: the known pixels.
        unlikely: pixels of other objects [h, w]. GrabCut starts with them as background, but may change them.
        seed: of the random numbers with which GrabCut starts.

    Returns:
        The object's mask [h, w], and the likelihood map [h, w], 0..1, from which GrabCut started.
    """
    box = box_of(seeds.positive)
    if box is None:
        return seeds.positive, np.zeros(seeds.positive.shape, np.float32)
    probability = object_likelihood(scaled, motion, seeds, ScribbleDistances.of(seeds.positive, box))
    trimap = np.where(probability > 0.5, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    trimap[unlikely & (trimap == cv2.GC_PR_FGD)] = cv2.GC_PR_BGD
    trimap[probability < CERTAIN] = cv2.GC_BGD
    trimap[(probability > 1 - CERTAIN) & ~unlikely] = cv2.GC_FGD
    trimap[seeds.same] = cv2.GC_FGD
    trimap[seeds.negative] = cv2.GC_BGD
    trimap[seeds.positive] = cv2.GC_FGD
    found = _cut(scaled, trimap, seeds.positive, seed)
    # A correction does not add pixels whose likelihood is 0.5 or less.
    sure = probability > (0.5 if seeds.same.any() else LEAST)
    return found & (sure | seeds.positive), probability


@dataclass(frozen=True, eq=False)
class Corrections:
    """The scribbled pixels [h, w] of a correction, for one object.

    `missed` are pixels of its new scribbles outside its mask, `extra` are pixels of new scribbles of other objects or
    the background inside its mask. `mine` are all pixels of its scribbles, `others` all pixels of other scribbles.
    """

    missed: BinaryMask
    extra: BinaryMask
    mine: BinaryMask
    others: BinaryMask


def correct_mask(
    scaled: ScaledFrame, motion: Motion | None, before: BinaryMask, wrong: Corrections, seed: int
) -> BinaryMask:
    """Return the object's mask `before` [h, w] with the wrong regions corrected that the scribbles `wrong` run through.

    All other pixels stay as they are. `motion` is that of the frame to an adjacent frame, `seed` that of GrabCut.
    """
    nothing = np.zeros_like(before)
    result = before.copy()
    if wrong.missed.any():
        seeds = Seeds(wrong.missed, wrong.others, before & ~wrong.others)
        found, _ = cut_object(scaled, motion, seeds, nothing, seed)
        result |= _reached(found & ~before, wrong.missed, before)
    if wrong.extra.any():
        # The background is segmented as if it were the object; its known pixels are those outside the mask.
        seeds = Seeds(wrong.extra, wrong.mine, ~before & ~wrong.mine)
        found, _ = cut_object(scaled, motion, seeds, nothing, seed)
        result &= ~_reached(found & before, wrong.extra, ~before)
    return result


def _reached(mask: BinaryMask, scribbles: BinaryMask, right: BinaryMask) -> BinaryMask:
    """Return the pixels of `mask` near the scribbles that are connected to a scribble by such pixels.

    `scribbles` are pixels of scribbles of one object id. `right` are the pixels that already have this object id: how
    far a scribble reaches depends on its distance to them. All are [h, w].
    """
    box = box_of(scribbles)
    if box is None:
        return scribbles
    reach = max(REACH_OF_SIDE * max(box.y1 - box.y0, box.x1 - box.x0), REACH_OF_FRAME * max(mask.shape))
    return _connected(mask & possible_region(scribbles, right, reach), scribbles)


def _connected(mask: BinaryMask, scribbles: BinaryMask) -> BinaryMask:
    """Return those connected parts of `mask` [h, w] that a scribble runs through."""
    count, parts = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    drawn = np.zeros(count, bool)
    drawn[np.unique(parts[scribbles])] = True
    drawn[0] = False
    result: BinaryMask = drawn[parts]
    return result


def _cut(scaled: ScaledFrame, trimap: NDArray[np.uint8], positive: BinaryMask, seed: int) -> BinaryMask:
    height, width = trimap.shape
    result = trimap & 1 == 1
    box = box_of(trimap != cv2.GC_BGD)
    if box is None:
        return result
    crop = box.grown(round(CONTEXT * max(height, width)), height, width).slices
    part = np.ascontiguousarray(trimap[crop])
    if not (part & 1 == 0).any():  # If the whole crop is object, its border serves as background.
        part[[0, -1], :] = cv2.GC_PR_BGD
        part[:, [0, -1]] = cv2.GC_PR_BGD
        part[positive[crop]] = cv2.GC_FGD
    if not (part & 1 == 0).any():
        return result
    image = np.ascontiguousarray(scaled.grid[crop])
    if (image == image[0, 0]).all():  # Without any edge or colour GrabCut may take many seconds.
        return result
    cv2.setRNGSeed(seed)  # GrabCut initialises its k-means at random.
    cv2.grabCut(image, part, (0, 0, 0, 0), np.zeros((1, 65)), np.zeros((1, 65)), ITERATIONS, cv2.GC_INIT_WITH_MASK)
    result[crop] = part & 1 == 1
    return result
