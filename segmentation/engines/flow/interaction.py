"""The mask of the frame that was drawn on: GrabCut (Rother et al., SIGGRAPH 2004), seeded by the scribbles."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from segmentation.masks import Box, box_of

SIDE = 214  # longest side GrabCut works at: at 320 it takes three times as long and gains half a point of J
ITERATIONS = 2
STROKE = 3  # px across; a person means more than the line drawn
ROI_GROWTH, ROI_MARGIN = 0.1, 0.06  # of the strokes' longest side, and of the frame's: chosen on DAVIS train
CONTEXT = 0.12  # of the frame's longest side: known background around the region, from which its colours are learned
CORRECTION_MARGIN = 0.08  # of the frame's longest side: how far around its stroke a correction may change the mask

Mask = NDArray[np.bool_]
Colours = NDArray[np.uint8]


def first_mask(image: Colours, positive: Mask, negative: Mask, others: Mask, seed: int) -> Mask:
    """The object under `positive` [h, w], which had no mask before: searched in a region around its strokes.

    Pixels of `others` are theirs unless their colours say otherwise.
    """
    height, width = positive.shape
    strokes = box_of(positive)
    if strokes is None:
        return positive
    side = max(strokes.y1 - strokes.y0, strokes.x1 - strokes.x0)
    margin = round(ROI_GROWTH * side + ROI_MARGIN * max(height, width))
    region = strokes.grown(margin, height, width)
    trimap = np.full((height, width), cv2.GC_BGD, np.uint8)
    trimap[region.slices] = np.where(others[region.slices], cv2.GC_PR_BGD, cv2.GC_PR_FGD)
    return _cut(image, trimap, positive, negative, region, seed)


def corrected_mask(image: Colours, before: Mask, positive: Mask, negative: Mask, seed: int) -> Mask:
    """`before` with the regions around new strokes cut again. Elsewhere, and where no stroke led to it, it stays."""
    height, width = before.shape
    wrong = (positive & ~before) | (negative & before)
    strokes = box_of(wrong)
    if strokes is None:
        return before
    region = strokes.grown(round(CORRECTION_MARGIN * max(height, width)), height, width)
    trimap = np.where(before, cv2.GC_FGD, cv2.GC_BGD).astype(np.uint8)
    inside = before[region.slices]
    trimap[region.slices] = np.where(inside, cv2.GC_PR_FGD, cv2.GC_PR_BGD)
    cut = _cut(image, trimap, positive, negative, region, seed)
    return _only_connected(before, cut, wrong)


def _only_connected(before: Mask, after: Mask, strokes: Mask) -> Mask:
    """Take over those connected changes that a stroke runs through."""
    count, parts = cv2.connectedComponents((before != after).astype(np.uint8), connectivity=4)
    drawn = np.zeros(count, bool)
    drawn[np.unique(parts[strokes])] = True
    drawn[0] = False
    result: Mask = np.where(drawn[parts], after, before)
    return result


def _cut(image: Colours, trimap: NDArray[np.uint8], positive: Mask, negative: Mask, region: Box, seed: int) -> Mask:
    height, width = trimap.shape
    trimap[negative] = cv2.GC_BGD
    trimap[positive] = cv2.GC_FGD
    crop = region.grown(round(CONTEXT * max(height, width)), height, width).slices
    part = np.ascontiguousarray(trimap[crop])
    result = trimap & 1 == 1
    if not (part & 1 == 0).any():  # the whole crop may be object: its rim is the only guess at background
        part[[0, -1], :] = cv2.GC_PR_BGD
        part[:, [0, -1]] = cv2.GC_PR_BGD
        part[positive[crop]] = cv2.GC_FGD
    if not (part & 1 == 0).any():
        return result
    cv2.setRNGSeed(seed)  # its k-means draws at random
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(np.ascontiguousarray(image[crop]), part, None, *models, ITERATIONS, cv2.GC_INIT_WITH_MASK)
    result[crop] = part & 1 == 1
    return result
