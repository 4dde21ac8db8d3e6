"""Reads image files as frames."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, UnidentifiedImageError

from webapp.videos.frame_writer import SourceFrame
from webapp.videos.refusal import Refused, check_count, check_size

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF")
UNREADABLE = (OSError, UnidentifiedImageError, SyntaxError, ValueError, EOFError, TypeError, KeyError, struct.error)
# Returns the grey values that become black and white; called only for pictures with more than 8 bits.
Depth = Callable[[], tuple[float, float]]
# The operation that undoes each EXIF orientation.
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def read_pages(data: bytes, name: str, depth: Depth) -> Iterator[SourceFrame]:
    """Yield the pages of the image file `data` as RGB frames, upright. TIFF, WebP, PNG and GIF may have several pages.

    The size of a page is checked before a pixel of it is decoded. `depth` is called for pictures with more than 8 bits.
    Raises Refused.
    """
    with _opened(data, name) as image:
        pages = getattr(image, "n_frames", 1)
        check_count(pages)
        for page in range(pages):
            with _refusing(name):
                image.seek(page)
                check_size(*image.size, what=name)
                image.load()
                picture = _rgb(_upright(image), depth)
            title = name if pages == 1 else f"{name}, page {page + 1},"
            yield SourceFrame(picture, jpeg=data if pages == 1 and _may_stay(image) else None, name=title)


def count_pages(data: bytes) -> int:
    """Return how many pages an image file has. 1 if it cannot be read; reading its pages then raises Refused."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            return int(getattr(image, "n_frames", 1))
    except (*UNREADABLE, Image.DecompressionBombError):
        return 1


def check_mask(data: bytes, name: str) -> None:
    """Raise Refused for a mask that is no image file or is larger than a frame may be. No pixel is decoded."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            check_size(*image.size, what=name)
    except Image.DecompressionBombError:
        raise Refused("too_large", f"{name} has far too many pixels.", 413) from None
    except UNREADABLE:
        raise Refused("bad_mask", f"The mask {name} cannot be read as a picture.") from None


@contextmanager
def _opened(data: bytes, name: str) -> Iterator[Image.Image]:
    with _refusing(name):
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    with image:
        yield image


@contextmanager
def _refusing(name: str) -> Iterator[None]:
    """Turn the exceptions of Pillow within the block into Refused, with a sentence that names the file."""
    try:
        yield
    except Image.DecompressionBombError:
        raise Refused("too_large", f"{name} has far too many pixels.", 413) from None
    except UNREADABLE:
        raise Refused("bad_picture", f"{name} cannot be read as a picture: it is damaged, or no picture.") from None


def _may_stay(image: Image.Image) -> bool:
    """Return whether the file itself can be stored as the frame, so that engines see exactly its pixels.

    Files with metadata are converted instead: with an orientation or a colour profile, browsers would show other pixels
    than engines see, and the place where a photograph was taken is private.
    """
    return image.format == "JPEG" and image.mode == "RGB" and not ({"exif", "icc_profile", "xmp"} & image.info.keys())


def _upright(image: Image.Image) -> Image.Image:
    # Pillow's exif_transpose is not used, because it rewrites all EXIF data and fails if a camera wrote some wrongly.
    turn = TURNS.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    return image if turn is None else image.transpose(turn)


def _rgb(image: Image.Image, depth: Depth) -> Image.Image:
    """Convert to RGB. Transparent pixels become black, because their stored colours were not meant to be seen."""
    if is_deep(image):
        low, high = depth()
        scaled = (_numbers(image) - low) * (255 / max(high - low, 1e-9))
        return Image.fromarray(np.clip(np.rint(scaled), 0, 255).astype(np.uint8)).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        clear = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", clear.size, (0, 0, 0, 255)), clear).convert("RGB")
    return image.convert("RGB")


def is_deep(image: Image.Image) -> bool:
    """Return whether a picture has more than 8 bits per pixel of grey, as integers or floating-point numbers."""
    return image.mode.startswith("I") or image.mode == "F"


def _numbers(image: Image.Image) -> NDArray[np.float64]:
    return np.nan_to_num(np.asarray(image, np.float64), posinf=0, neginf=0)


def found_range(files: Iterable[bytes]) -> tuple[float, float]:
    """Return the grey values that become black and white in a sequence of pictures with more than 8 bits.

    Cameras store 10, 12 or 14 bits in files of 16 bits, and no header reliably says so. So the range is the smallest of
    these that holds all values of the whole sequence: frames stay comparable, and none is nearly black.
    """
    low, high, whole = 0.0, 0.0, True
    for data in files:
        with _opened(data, "A picture") as image:
            for page in range(getattr(image, "n_frames", 1)):
                image.seek(page)
                if is_deep(image):
                    values = _numbers(image)
                    low, high = min(low, float(values.min())), max(high, float(values.max()))
                    whole = whole and image.mode != "F"
    steps = (255, 1023, 4095, 16383, 65535) if whole else (1, 255)
    return low, next((float(step) for step in steps if high <= step), high) if low >= 0 else high
