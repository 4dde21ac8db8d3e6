"""The mask of the frame that was drawn on: GrabCut (Rother et al., SIGGRAPH 2004), seeded by the scribbles."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from segmentation.engines.flow.motion import Motion
from segmentation.engines.flow.picture import Picture
from segmentation.engines.flow.seeding import Reach, likeness
from segmentation.masks import box_of

SIDE = 214  # longest side GrabCut works at: at 320 it takes three times as long and gains half a point of J
ITERATIONS = 2
CERTAIN = 0.1  # pixels less likely than this are background, those likelier than 1 - this are object
CONTEXT = 0.12  # of the frame's longest side: known background around the region, from which its colours are learned

Mask = NDArray[np.bool_]
Map = NDArray[Any]  # float32 [h, w]


def region_under(
    picture: Picture, motion: Motion | None, positive: Mask, negative: Mask, unlikely: Mask, seed: int
) -> Mask:
    """What the strokes `positive` [h, w] are drawn on, all at the size of `picture`.

    `negative`: pixels that are something else. `unlikely`: pixels that are something else unless they look alike.
    """
    box = box_of(positive)
    if box is None:
        return positive
    probability = likeness(picture, motion, positive, negative, Reach.of(positive, box))
    trimap = np.where(probability > 0.5, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    trimap[unlikely & (trimap == cv2.GC_PR_FGD)] = cv2.GC_PR_BGD
    trimap[probability < CERTAIN] = cv2.GC_BGD
    trimap[(probability > 1 - CERTAIN) & ~unlikely] = cv2.GC_FGD
    trimap[negative] = cv2.GC_BGD
    trimap[positive] = cv2.GC_FGD
    return _cut(picture, trimap, positive, seed)


def corrected_mask(
    picture: Picture, motion: Motion | None, before: Mask, positive: Mask, negative: Mask, seed: int
) -> Mask:
    """`before` with what wrong strokes run through changed over. Where no stroke leads to, it stays as it is."""
    missed, extra = positive & ~before, negative & before
    result = before.copy()
    if missed.any():
        found = region_under(picture, motion, missed, negative, np.zeros_like(before), seed)
        result |= _connected(found & ~before, missed)
    if extra.any():
        # What is taken away lies inside the mask, so all around it counts as something else.
        found = region_under(picture, motion, extra, positive | ~before, np.zeros_like(before), seed)
        result &= ~_connected(found & before, extra)
    return result


def _connected(mask: Mask, strokes: Mask) -> Mask:
    """The connected parts of `mask` that a stroke runs through."""
    count, parts = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    drawn = np.zeros(count, bool)
    drawn[np.unique(parts[strokes])] = True
    drawn[0] = False
    result: Mask = drawn[parts]
    return result


def _cut(picture: Picture, trimap: NDArray[np.uint8], positive: Mask, seed: int) -> Mask:
    height, width = trimap.shape
    result = trimap & 1 == 1
    box = box_of(trimap != cv2.GC_BGD)
    if box is None:
        return result
    crop = box.grown(round(CONTEXT * max(height, width)), height, width).slices
    part = np.ascontiguousarray(trimap[crop])
    if not (part & 1 == 0).any():  # all object: the rim of the crop is the only guess at background
        part[[0, -1], :] = cv2.GC_PR_BGD
        part[:, [0, -1]] = cv2.GC_PR_BGD
        part[positive[crop]] = cv2.GC_FGD
    if not (part & 1 == 0).any():
        return result
    cv2.setRNGSeed(seed)  # its k-means draws at random
    image = np.ascontiguousarray(picture.grid[crop])
    cv2.grabCut(image, part, (0, 0, 0, 0), np.zeros((1, 65)), np.zeros((1, 65)), ITERATIONS, cv2.GC_INIT_WITH_MASK)
    result[crop] = part & 1 == 1
    return result
