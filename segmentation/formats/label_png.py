"""Reads and writes masks as label PNG files: indexed PNG in which each pixel's index is its object id, as in DAVIS.

A mask is a label map, uint8 [H, W]: 0 = background, 1..254 = objects, 255 = "ignore" in some ground truth.
"""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from segmentation.formats.paths import checked_path
from segmentation.types import LabelMap


class MaskError(ValueError):
    """A mask file cannot be used; the message says why."""


@cache
def davis_palette() -> NDArray[np.uint8]:
    """Return the RGB colours of the ids 0..255, uint8 [256, 3], which are those of PASCAL VOC.

    The bits of an id, from the lowest on, go to red, green and blue in turn; the first go to each colour's highest bit.
    """
    palette = np.zeros((256, 3), np.uint8)
    for index in range(256):
        for bit in range(8):
            palette[index, bit % 3] |= ((index >> bit) & 1) << (7 - bit // 3)
    palette.setflags(write=False)
    return palette


def encode_labels(labels: LabelMap, compress_level: int = 6) -> bytes:
    """Return the bytes of an indexed PNG of the mask `labels` with the DAVIS palette.

    `compress_level` is that of zlib, 0..9: 1 is faster than 6, but its files are larger. Raises MaskError if `labels`
    is not uint8 [H, W].
    """
    if labels.dtype != np.uint8 or labels.ndim != 2:
        raise MaskError(f"expected uint8 [H, W], got {labels.dtype} {labels.shape}")
    image = Image.fromarray(labels)
    image.putpalette(davis_palette().tobytes())  # turns the grey image into an indexed one with the same pixel values
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=compress_level)
    return buffer.getvalue()


def write_labels(path: Path | str, labels: LabelMap) -> None:
    """Write the mask `labels`, uint8 [H, W], to `path` as an indexed PNG with the DAVIS palette.

    Raises MaskError if `labels` is not uint8 [H, W], and ValueError if `path` is no path.
    """
    checked_path("path", path).write_bytes(encode_labels(labels))


def read_labels(path: Path | str) -> LabelMap:
    """Read a label PNG and return its mask, uint8 [H, W].

    Raises:
        MaskError: the file cannot be read or is no label PNG; the message names the file.
        ValueError: `path` is no path.
    """
    path = checked_path("path", path)
    try:
        with path.open("rb") as file:
            return decode_labels(file)
    except OSError as error:
        raise MaskError(f"{path.name}: {error.strerror}") from error
    except MaskError as error:
        raise MaskError(f"{path.name}: {error}") from error


def decode_labels(file: IO[bytes]) -> LabelMap:
    """Read a label PNG: its pixel values are the object ids, uint8 [H, W]. Grey and one-bit PNG files are read too.

    Use it only for files that certainly hold object ids, such as those that Maskwright wrote. `mask_files` reads masks
    of other programs, for which it compares all files of a sequence.

    Raises:
        MaskError: the file is not a PNG, or it is neither indexed nor grey with up to 8 bits.
    """
    try:
        with Image.open(file, formats=["PNG"]) as image:
            image.load()
            if image.mode not in ("P", "L", "1"):
                raise MaskError(f"it is a picture of mode {image.mode}, expected an indexed or grey PNG of object ids")
            return np.array(image).astype(np.uint8)
    except (OSError, UnidentifiedImageError, SyntaxError, Image.DecompressionBombError):
        raise MaskError("it cannot be read as a PNG") from None
