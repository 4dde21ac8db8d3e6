"""Converts a decoded video frame to the RGB image that video players show, rotated as the file says."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from av.sidedata.sidedata import SideDataContainer
from av.sidedata.sidedata import Type as SideDataType
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace
from numpy.typing import NDArray

from segmentation.formats.tone_mapping import HDR_TRANSFERS, to_standard_range
from segmentation.types import Image

UNSPECIFIED = 2  # AVCOL_SPC_UNSPECIFIED
HD_HEIGHT = 720  # frames of at least this height without a colour space are read as BT.709, as players do


def upright(frame: VideoFrame) -> Image:
    """Convert `frame` to uint8 sRGB [H, W, 3] (HDR too), rotated and mirrored as its display matrix says."""
    rgb, matrix = _converted(frame), _display_matrix(frame)
    return rgb if matrix is None else _turned(rgb, matrix)


def is_quarter_turned(frame: VideoFrame) -> bool:
    """Return whether `upright` rotates the frame by 90 or 270 degrees, so that width and height are exchanged."""
    matrix = _display_matrix(frame)
    return matrix is not None and bool(abs(matrix[1]) > abs(matrix[0]))


def _display_matrix(frame: VideoFrame) -> NDArray[np.int32] | None:
    # `frame.side_data` is not used, because it and its frame refer to each other: frames would stay in memory until the
    # garbage collector runs, each with the threads of its conversion.
    side_data = cast(Any, SideDataContainer)(frame)
    try:
        matrix = side_data[SideDataType.DISPLAYMATRIX]
    except KeyError:
        return None
    return np.frombuffer(bytes(matrix), dtype=np.int32)


def _converted(frame: VideoFrame) -> Image:
    if frame.color_trc in HDR_TRANSFERS:
        coded = np.asarray(frame.to_ndarray(format="rgb48le"), np.uint16)
        return to_standard_range(coded, frame.color_trc)
    bare = frame.colorspace == UNSPECIFIED and frame.height >= HD_HEIGHT
    return np.asarray(frame.to_ndarray(format="rgb24", src_colorspace=Colorspace.ITU709 if bare else None), np.uint8)


def _turned(rgb: Image, matrix: NDArray[np.int32]) -> Image:
    """Rotate or mirror an image by a display matrix (a, b, u, c, d, v, x, y, w) of ISO 14496-12.

    A pixel at (x, y) moves to x' = a x + c y, y' = b x + d y.
    """
    a, b, _, c, d = (int(value) for value in matrix[:5])
    if abs(b) > abs(a):
        rgb, flip_x, flip_y = rgb.transpose(1, 0, 2), c < 0, b < 0
    else:
        flip_x, flip_y = a < 0, d < 0
    return np.ascontiguousarray(rgb[:: -1 if flip_y else 1, :: -1 if flip_x else 1])
