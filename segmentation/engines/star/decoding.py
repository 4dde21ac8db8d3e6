"""Decodes the masks of a frame's objects, and computes outlines only in windows where an object can be.

The decoder's coarse part, at stride 8, sees the whole frame, because an object may appear anywhere. Its fine part, at
strides 4 and 2, takes longer than the coarse part, and is computed in one window for each object.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from segmentation.engines.star.matching import MOVED, Cues
from segmentation.engines.star.network import Decoder, Encoded
from segmentation.masks import Box, box_of

# The window has all cells in which the coarse logit or the probability of the warped mask is larger than these. They
# are so low that the object is inside, and neither is a mask by itself.
COARSE, WARPED = -1.4, 0.1
MARGIN = 2  # The window has so many more cells of stride 8 on each side, because the fine part sees neighbours.
MULTIPLE = 8  # Both sides of a window are multiples of this, in cells: OpenVINO prepares itself for each size anew.
NOWHERE = -8.0  # The logit outside of the window.


def decode_masks(decoder: Decoder, encoded: Encoded, cues: Cues) -> tuple[Tensor, Tensor]:
    """Return the logits of n masks at stride 2, [n, 4h, 4w], and the logits of the J that the decoder estimates, [n].

    `encoded` has the features of one frame, and `cues` those of n objects in it.
    """
    count = len(cues.coarse)
    x, coarse = decoder.coarse(encoded.context.expand(count, -1, -1, -1), cues.coarse)
    height, width = coarse.shape[-2:]
    logits = torch.full((count, 4 * height, 4 * width), NOWHERE, device=coarse.device)
    for row, window in enumerate(_windows(coarse, cues)):
        if window is not None:
            at8, at4, at2 = (_part(window, scale) for scale in (1, 2, 4))
            own = slice(row, row + 1)
            logits[(own, *at2)] = decoder.outlined(
                x[(own, ..., *at8)],
                coarse[(own, ..., *at8)],
                encoded.f4[(..., *at4)],
                encoded.colours[(..., *at2)],
                cues.fine[(own, ..., *at4)],
            )
    return logits, decoder.expected(x, coarse, logits)


def _windows(coarse: Tensor, cues: Cues) -> list[Box | None]:
    """Return for each object the cells of stride 8 that its fine mask is computed in; None where nothing is found."""
    likely = (coarse[:, 0] > COARSE) | (cues.coarse[:, MOVED] > WARPED)
    return [_window(each) for each in likely.cpu().numpy()]


def _window(likely: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Box | None:
    box = box_of(likely)
    if box is None:
        return None
    height, width = likely.shape
    grown = box.grown(MARGIN, height, width)
    (y0, y1), (x0, x1) = _rounded(grown.y0, grown.y1, height), _rounded(grown.x0, grown.x1, width)
    return Box(y0, x0, y1, x1)


def _rounded(first: int, end: int, size: int) -> tuple[int, int]:
    """Return a range of cells around first..end - 1 whose length is a multiple of MULTIPLE, or all `size` cells."""
    length = min(-(-(end - first) // MULTIPLE) * MULTIPLE, size)
    first = min(first, size - length)
    return first, first + length


def _part(window: Box, scale: int) -> tuple[slice, slice]:
    rows, columns = window.slices
    return slice(rows.start * scale, rows.stop * scale), slice(columns.start * scale, columns.stop * scale)
