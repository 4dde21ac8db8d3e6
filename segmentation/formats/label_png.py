"""Label maps as indexed PNG: what the DAVIS challenge, and every tool around it, reads and writes.

A label map is uint8 [H, W]: 0 = background, 1..254 = objects, 255 = "ignore" in some ground truth.
"""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from segmentation.types import LabelMap


class MaskError(ValueError):
    """A mask file that cannot be used; the sentence says why."""


@cache
def davis_palette() -> NDArray[np.uint8]:
    """Colours of the ids, uint8 [256, 3]: those of PASCAL VOC, the bits of the id dealt to red, green, blue in turn."""
    palette = np.zeros((256, 3), np.uint8)
    for index in range(256):
        for bit in range(8):
            palette[index, bit % 3] |= ((index >> bit) & 1) << (7 - bit // 3)
    palette.setflags(write=False)
    return palette


def encode_labels(labels: LabelMap) -> bytes:
    """`labels` as an indexed PNG with the DAVIS palette. Lossless."""
    if labels.dtype != np.uint8 or labels.ndim != 2:
        raise MaskError(f"expected uint8 [H, W], got {labels.dtype} {labels.shape}")
    image = Image.fromarray(labels)
    image.putpalette(davis_palette().tobytes())  # a grey picture becomes an indexed one, its values stay
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=6)
    return buffer.getvalue()


def write_labels(path: Path | str, labels: LabelMap) -> None:
    """Write `labels` (uint8 [H, W]) to `path` as an indexed PNG with the DAVIS palette."""
    Path(path).write_bytes(encode_labels(labels))


def read_labels(path: Path | str) -> LabelMap:
    """Read the mask in a file, uint8 [H, W]. Raises MaskError, which names the file."""
    path = Path(path)
    try:
        with path.open("rb") as file:
            return decode_labels(file)
    except OSError as error:
        raise MaskError(f"{path.name}: {error.strerror}") from error
    except MaskError as error:
        raise MaskError(f"{path.name}: {error}") from error


def decode_labels(file: IO[bytes]) -> LabelMap:
    """The ids in a PNG: indexed, grey, black and white, or colours of the DAVIS palette.

    Grey pictures of nothing but 0 and 255 are masks of one object (DAVIS-2016 is so). Raises MaskError.
    """
    try:
        with Image.open(file, formats=["PNG"]) as image:
            image.load()
            return labels_of(image)
    except (OSError, UnidentifiedImageError, SyntaxError, Image.DecompressionBombError):
        raise MaskError("it cannot be read as a PNG") from None


def labels_of(image: Image.Image) -> LabelMap:
    if image.mode == "P":
        return np.array(image, dtype=np.uint8)
    if image.mode == "1":
        return np.array(image).astype(np.uint8)
    if image.mode == "L":
        grey = np.array(image, dtype=np.uint8)
        return (grey == 255).astype(np.uint8) if np.isin(grey, (0, 255)).all() else grey
    if image.mode in ("RGB", "RGBA"):
        return _by_colour(np.array(image.convert("RGB"), dtype=np.uint8))
    raise MaskError(f"it is a picture of mode {image.mode}; masks are indexed or grey pictures of object numbers")


def _by_colour(rgb: NDArray[np.uint8]) -> LabelMap:
    """Ids of a mask that somebody saved as a colour picture: black and white, or the palette's own colours."""
    packed = _packed(rgb)
    colours, where = np.unique(packed, return_inverse=True)
    white = 0xFFFFFF
    if set(colours.tolist()) <= {0, white}:
        return (packed == white).astype(np.uint8)
    known = {int(colour): index for index, colour in enumerate(_packed(davis_palette()))}
    try:
        ids = np.array([known[int(colour)] for colour in colours], np.uint8)
    except KeyError:
        raise MaskError("it is a colour picture, and its colours are not those of the DAVIS palette") from None
    return ids[where].reshape(packed.shape)


def _packed(rgb: NDArray[np.uint8]) -> NDArray[np.int64]:
    wide = rgb.astype(np.int64)
    packed: NDArray[np.int64] = wide @ np.array([1 << 16, 1 << 8, 1])
    return packed
