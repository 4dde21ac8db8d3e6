"""Reads image files as frames."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
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
        deep_pages = DeepPages(image, data)
        for page in range(pages):
            with _refusing(name):
                image.seek(page)
                check_size(*image.size, what=name)
                deep = deep_pages.values(page)
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

    `deep` are the values of a page with more than 8 bits for each channel (`DeepPages`), else None. They are scaled
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


class DeepPages:
    """Decodes the pages of an image file that have more than 8 bits for each channel. They are asked for in order."""

    def __init__(self, image: Image.Image, data: bytes) -> None:
        """`data` are the bytes of an image file, and `image` is that file, opened by Pillow."""
        self._image, self._data = image, data
        self._animation: Iterator[av.VideoFrame] | None = None  # The pages that follow in an animated PNG.

    def values(self, page: int) -> NDArray[np.float64] | None:
        """Return the values of a page with more than 8 bits: grey [H, W] or colour [H, W, 3]. None if it has 8 bits.

        The image has been moved to this page and is not loaded yet. Transparent pixels become 0.
        """
        image = self._image
        if image.mode.startswith("I") or image.mode == "F":
            return np.nan_to_num(np.asarray(image, np.float64), posinf=0, neginf=0)
        if image.format in DEEP_DECODERS and any(";16" in str(tile[3]) for tile in getattr(image, "tile", ())):
            return self._colours(page)
        return None

    def _colours(self, page: int) -> NDArray[np.float64]:
        """Decode colours of 16 bits with FFmpeg, because Pillow keeps only the upper 8 of them."""
        try:
            if page and self._image.format == "PNG":
                frame = self._animated(page)
            else:
                frame = _first_frame(str(self._image.format), _tiff_from_page(self._data, page) if page else self._data)
        except av.error.FFmpegError as error:
            raise ValueError("FFmpeg cannot decode the picture") from error
        if frame is None:
            raise ValueError("FFmpeg finds no picture")
        values = frame.to_ndarray(format="rgba64le").astype(np.float64)
        return np.asarray(values[..., :3] * (values[..., 3:] / 65535))

    def _animated(self, page: int) -> av.VideoFrame | None:
        """Return a page of an animated PNG, which is decoded from its beginning on: pages build on earlier ones."""
        if self._animation is None:
            # Pillow counts a picture that stands before the animation as a page; FFmpeg leaves it out.
            before = 1 if getattr(self._image, "default_image", False) else 0
            self._animation = islice(_frames_of_png(self._data), page - before, None)
        return next(self._animation, None)


def _first_frame(form: str, data: bytes) -> av.VideoFrame | None:
    codec = cast(VideoCodecContext, av.CodecContext.create(DEEP_DECODERS[form], "r"))
    return next(iter([*codec.decode(av.Packet(data)), *codec.decode(None)]), None)


def _frames_of_png(data: bytes) -> Iterator[av.VideoFrame]:
    with av.open(io.BytesIO(data), "r", format="apng") as container:
        yield from container.decode(video=0)


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
            deep_pages = DeepPages(image, data)
            for page in range(getattr(image, "n_frames", 1)):
                image.seek(page)
                values = deep_pages.values(page)
                if values is not None:
                    low, high = min(low, float(values.min())), max(high, float(values.max()))
                    whole = whole and image.mode != "F"
    return black_and_white(low, high, whole=whole)
