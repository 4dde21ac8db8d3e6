"""Chooses the cells of a feature map to which a round fits the last layer of ST-RNN (Lin et al. 2019, section 2.3).

The chosen cells are called samples. The cells under scribbles on objects are positive samples. Cells under background
scribbles are negative samples, and so are random cells of the frame that was drawn on, outside the bounding boxes of
the scribbles, enlarged 1.2 times. From the second round on, the random cells must be background in the frame's mask.
So many random cells are chosen that there are as many negative as positive samples, if that is possible.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from segmentation.scribbles import Raster

ENLARGE = 1.2  # Factor by which the boxes around scribbles are enlarged.

Cells = tuple[NDArray[np.intp], NDArray[np.int64]]  # Flat indices of cells of a feature map, and their ids.


def sample(raster: Raster, predicted: NDArray[np.uint8] | None, rng: np.random.Generator) -> Cells:
    """Choose the samples of an interaction: all cells under its scribbles, and random other cells as negative samples.

    Args:
        raster: the ids under the scribbles at the size of the feature map, [h, w], -1 elsewhere.
        predicted: the mask of this frame before the interaction, [h, w]; None if the frame had none.
        rng: the generator that chooses the random cells.

    Returns:
        The indices of cells and their ids, without repetition. There are fewer negative than positive samples if there
        are too few cells that may be chosen, and more if the background scribbles cover more cells.
    """
    ids = raster.ravel().astype(np.int64)
    drawn = np.flatnonzero(ids >= 0)
    positives = int((ids[drawn] > 0).sum())
    wanted = positives - (len(drawn) - positives)
    candidates = np.flatnonzero(~inside_boxes(raster).ravel() & (ids < 0))
    if predicted is not None:
        candidates = candidates[predicted.ravel()[candidates] == 0]
    chosen = rng.choice(candidates, size=min(max(wanted, 0), len(candidates)), replace=False)
    return np.concatenate((drawn, chosen)), np.concatenate((ids[drawn], np.zeros(len(chosen), np.int64)))


def inside_boxes(raster: Raster) -> NDArray[np.bool_]:
    """Return the cells inside the enlarged bounding boxes of each object's scribbles, bool [h, w]."""
    height, width = raster.shape
    inside = np.zeros((height, width), bool)
    for object_id in np.unique(raster[raster > 0]):
        ys, xs = np.nonzero(raster == object_id)
        rows, columns = enlarged(ys, height), enlarged(xs, width)
        inside[rows, columns] = True
    return inside


def enlarged(positions: NDArray[np.intp], length: int) -> slice:
    """Return the span of `positions`, enlarged 1.2 times about its middle and clipped to 0..length."""
    low, high = int(positions.min()), int(positions.max()) + 1
    grow = (high - low) * (ENLARGE - 1) / 2
    return slice(max(int(np.floor(low - grow)), 0), min(int(np.ceil(high + grow)), length))


def thinned(labels: NDArray[np.uint8], most: int) -> Cells:
    """Choose at most `most` cells of each id of a mask [h, w], evenly spaced among the cells of that id, as samples."""
    flat = labels.ravel()
    parts = [np.flatnonzero(flat == label) for label in np.unique(flat)]
    chosen = np.concatenate([part[:: -(-len(part) // most)] for part in parts])
    return chosen, flat[chosen].astype(np.int64)
