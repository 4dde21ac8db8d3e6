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
    """Read a label PNG: the very ids that were written, uint8 [H, W]. Grey and one-bit pictures of ids are read too.

    This is for files that hold ids for certain. What others bring is read by `mask_files`, which looks at the whole
    sequence first.

    Raises:
        MaskError: it is no PNG, or has colours.
    """
    try:
        with Image.open(file, formats=["PNG"]) as image:
            image.load()
            if image.mode not in ("P", "L", "1"):
                raise MaskError(f"it is a picture of mode {image.mode}, expected an indexed or grey PNG of object ids")
            return np.array(image).astype(np.uint8)
    except (OSError, UnidentifiedImageError, SyntaxError, Image.DecompressionBombError):
        raise MaskError("it cannot be read as a PNG") from None
