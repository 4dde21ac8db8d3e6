"""One picture file as a frame."""

from __future__ import annotations

import io
import struct

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from segmentation.formats.label_png import LabelMap, MaskError, decode_labels
from webapp.videos.frame_writer import SourceFrame
from webapp.videos.refusal import Refused, check_size

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF")
SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})
UNREADABLE = (OSError, UnidentifiedImageError, SyntaxError, ValueError, EOFError, TypeError, KeyError, struct.error)
# What undoes each EXIF orientation.
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def read_picture(data: bytes, name: str) -> SourceFrame:
    """The picture in `data` as RGB, upright. Its size is looked at before a pixel is decoded. Raises Refused."""
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            check_size(*image.size, what=name)
            image.load()
            picture = _rgb(_upright(image))
            return SourceFrame(picture, jpeg=data if _may_stay(image) else None, name=name)
    except Image.DecompressionBombError:
        raise Refused("too_large", f"{name} has far too many pixels.", 413) from None
    except UNREADABLE:
        raise Refused("bad_picture", f"{name} cannot be read as a picture: it is damaged, or no picture.") from None


def read_labels(data: bytes, name: str) -> LabelMap:
    """The ground truth in `data`, uint8 [H, W]. Raises Refused."""
    try:
        with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
            check_size(*image.size, what=name)
        return decode_labels(io.BytesIO(data))
    except MaskError as problem:
        raise Refused("bad_mask", f"The mask {name} cannot be used: {problem}.") from None
    except Image.DecompressionBombError:
        raise Refused("too_large", f"{name} has far too many pixels.", 413) from None
    except UNREADABLE:
        raise Refused("bad_mask", f"The mask {name} cannot be read as a PNG.") from None


def _may_stay(image: Image.Image) -> bool:
    """Whether the file itself can be the stored frame: engines then see the very pixels that were brought.

    Not with metadata: an orientation or a colour profile would make browsers show other pixels than engines see, and
    the place where a picture was taken is nobody's business.
    """
    return image.format == "JPEG" and image.mode == "RGB" and not ({"exif", "icc_profile", "xmp"} & image.info.keys())


def _upright(image: Image.Image) -> Image.Image:
    # Pillow's own way writes all other EXIF anew, and fails where a camera wrote some of it wrongly.
    turn = TURNS.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    return image if turn is None else image.transpose(turn)


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):  # 16 bits of grey; Pillow would clip them instead of scaling
        grey = np.clip(np.array(image, dtype=np.int64) >> 8, 0, 255).astype(np.uint8)
        return Image.fromarray(grey).convert("RGB")
    return image.convert("RGB")
