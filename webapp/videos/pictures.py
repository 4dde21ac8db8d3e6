"""Reads image files as frames."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import cast

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext
from numpy.typing import NDArray
from PIL import ExifTags, Image, UnidentifiedImageError

from segmentation.formats.bit_depth import black_and_white
from webapp.videos.frame_writer import SourceFrame
from webapp.videos.refusal import Refused, check_count, check_size

DEEP_DECODERS = {"PNG": "png", "TIFF": "tiff"}  # FFmpeg's decoders of formats that hold colours of 16 bits.
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF")
UNREADABLE = (OSError, UnidentifiedImageError, SyntaxError, ValueError, EOFError, TypeError, KeyError, struct.error)
# A function that returns the grey values that become black and white in pictures with more than 8 bits.
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

    The size of a page is checked before a pixel of it is decoded. Pages with more than 8 bits for each channel are
    scaled to 8: `depth()` returns the two values that become black and white. It is not called for other pages. Raises
    Refused.
    """
    with _opened(data, name) as image:
        pages = getattr(image, "n_frames", 1)
        check_count(pages)
        for page in range(pages):
            with _refusing(name):
                image.seek(page)
                check_size(*image.size, what=name)
                deep = deep_values(image, data, page)
                image.load()
                picture = _rgb(image, deep, depth)
            title = name if pages == 1 else f"{name}, page {page + 1},"
            jpeg = data if pages == 1 and _may_stay(image) else None
            yield SourceFrame(picture, jpeg=jpeg, name=title, source=_source_name(name, page, pages))


def _source_name(name: str, page: int, pages: int) -> str:
    """Return the name of the file without its folder, with the number of the page if it has several."""
    file = PurePosixPath(name)
    return file.name if pages == 1 else f"{file.stem}_{page + 1:04}{file.suffix}"


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


def _turned(picture: Image.Image, source: Image.Image) -> Image.Image:
    # Pillow's exif_transpose is not used, because it rewrites all EXIF data and fails if a camera wrote some wrongly.
    turn = TURNS.get(source.getexif().get(ExifTags.Base.Orientation, 1))
    return picture if turn is None else picture.transpose(turn)


def _rgb(image: Image.Image, deep: NDArray[np.float64] | None, depth: Depth) -> Image.Image:
    """Convert a page of an image file to RGB, turned upright.

    `deep` are the values of a page with more than 8 bits for each channel (`deep_values`), else None. They are scaled
    so that the two values that `depth()` returns become black and white.
    """
    if deep is None:
        return _turned(_on_black(image), image)
    low, high = depth()
    scaled = (deep - low) * (255 / max(high - low, 1e-9))
    picture = Image.fromarray(np.clip(np.rint(scaled), 0, 255).astype(np.uint8)).convert("RGB")
    return _turned(picture, image)


def _on_black(image: Image.Image) -> Image.Image:
    """Convert to RGB. Transparent pixels become black, because their stored colours were not meant to be seen."""
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        clear = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", clear.size, (0, 0, 0, 255)), clear).convert("RGB")
    return image.convert("RGB")


def deep_values(image: Image.Image, data: bytes, page: int) -> NDArray[np.float64] | None:
    """Return the values of a page with more than 8 bits for each channel: grey [H, W] or colour [H, W, 3], else None.

    `image` is the file `data`, opened at this page and not loaded yet. Transparent pixels become 0.
    """
    if image.mode.startswith("I") or image.mode == "F":
        return np.nan_to_num(np.asarray(image, np.float64), posinf=0, neginf=0)
    if image.format in DEEP_DECODERS and any(";16" in str(tile[3]) for tile in getattr(image, "tile", ())):
        return _deep_colours(DEEP_DECODERS[image.format], data, page)
    return None


def _deep_colours(decoder: str, data: bytes, page: int) -> NDArray[np.float64]:
    """Decode colours of 16 bits with FFmpeg, because Pillow keeps only the upper 8 of them."""
    codec = cast(VideoCodecContext, av.CodecContext.create(decoder, "r"))
    if page:
        data = _tiff_from_page(data, page)
    try:
        frames = [*codec.decode(av.Packet(data)), *codec.decode(None)]
    except av.error.FFmpegError as error:
        raise ValueError("FFmpeg cannot decode the picture") from error
    if not frames:
        raise ValueError("FFmpeg finds no picture")
    values = frames[0].to_ndarray(format="rgba64le").astype(np.float64)
    return np.asarray(values[..., :3] * (values[..., 3:] / 65535))


def _tiff_from_page(data: bytes, page: int) -> bytes:
    """Return a TIFF whose first page is `page`. FFmpeg decodes only the first page of a packet."""
    order = "<" if data.startswith(b"II") else ">"
    (at,) = struct.unpack_from(f"{order}L", data, 4)
    for _ in range(page):
        (entries,) = struct.unpack_from(f"{order}H", data, at)
        (at,) = struct.unpack_from(f"{order}L", data, at + 2 + 12 * entries)
    return data[:4] + struct.pack(f"{order}L", at) + data[8:]


def found_range(files: Iterable[bytes]) -> tuple[float, float]:
    """Return the values that become black and white in a sequence of pictures with more than 8 bits."""
    low, high, whole = 0.0, 0.0, True
    for data in files:
        with _opened(data, "A picture") as image:
            for page in range(getattr(image, "n_frames", 1)):
                image.seek(page)
                values = deep_values(image, data, page)
                if values is not None:
                    low, high = min(low, float(values.min())), max(high, float(values.max()))
                    whole = whole and image.mode != "F"
    return black_and_white(low, high, whole=whole)
