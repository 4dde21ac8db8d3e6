"""Decodes one mask file of any kind to one byte a pixel.

Masks come in many forms: indexed images, grey images of ids, black-and-white images, colours of the DAVIS palette, the
alpha channel of a cut-out object, and smoothed or lossy copies of all of these. `decode_mask` also returns what this
file alone says about its values. `mask_files` then decides for a whole sequence whether they are object ids.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from segmentation.formats.label_png import MaskError, davis_palette
from segmentation.types import LabelMap

FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "WEBP", "GIF")
# What Pillow raises for files that are damaged, no pictures, or far too large.
UNREADABLE = (
    OSError, SyntaxError, ValueError, EOFError, TypeError, KeyError, struct.error, Image.DecompressionBombError,
)  # fmt: skip
BLACK, WHITE = 0, 0xFFFFFF
OPAQUE = 128  # the alpha from which on a pixel belongs to a cut-out object
DARK = 32  # grey values below this are taken for black with the noise of a lossy format
PEAK = 128  # the histogram of a black-and-white mask has its brighter peak at this value or above
SPREAD = 16  # most pixels of a histogram's peak lie within so many grey values of it, after JPEG or smoothing
NEUTRAL = 40  # largest difference of red, green and blue of a grey pixel after JPEG
FEW_IDS = 32  # an image with more grey values than this holds ids only if most neighbouring pixels are equal


@dataclass(frozen=True, eq=False)
class MaskImage:
    """A decoded mask file: one value a pixel in `values`, uint8 [H, W].

    `are_ids` is true if the colours or the palette of the file show that the values are object ids. `lossy` is true if
    the values cannot be ids, because the file is a JPEG, has values that were scaled to a byte, or has colours that are
    nearly grey.
    """

    values: LabelMap
    are_ids: bool = False
    lossy: bool = False

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """The number of pixels with each value 0..255, as an array [256]."""
        return np.bincount(self.values.ravel(), minlength=256)

    @property
    def is_empty(self) -> bool:
        return int(self.counts[0]) == self.values.size

    @property
    def is_black_and_white(self) -> bool:
        """Whether all values are 0 or 255, and at least one is 255."""
        return bool(self.counts[255]) and not self.counts[1:255].any()

    @cached_property
    def threshold(self) -> int | None:
        """The value that separates object and background of a smoothed or lossy black-and-white mask, else None.

        It is half the value of the histogram's brighter peak, if the histogram has two clear peaks.
        """
        if self.are_ids:
            return None
        counts = self.counts
        top = PEAK + int(counts[PEAK:].argmax())
        around = counts[top - SPREAD : top + SPREAD + 1]
        bright = int(counts[DARK:].sum())
        if not counts[top] or 2 * int(around.sum()) < bright or 50 * int(counts[top + SPREAD + 1 :].sum()) > bright:
            return None
        between = counts[1 : top - SPREAD]
        smoothed = bool(between[DARK - 1 :].any()) or np.count_nonzero(around) > 1
        if self.lossy:
            return top // 2
        return top // 2 if smoothed and self._flat_share(top - SPREAD) < 0.5 else None

    @property
    def may_be_ids(self) -> bool:
        """Whether the values can be object ids: there are few different values, or areas of equal values."""
        if self.are_ids:
            return True
        if self.lossy:
            return self.is_empty
        return int(np.count_nonzero(self.counts)) <= FEW_IDS or self._equal_share() >= 0.5

    def _flat_share(self, limit: int) -> float:
        """Return the fraction of the pixels with a value in 1..limit - 1 whose four neighbours have the same value.

        Smoothing and compression produce such values in thin bands along contours, objects in whole areas.
        """
        inner = self.values[1:-1, 1:-1]
        flat = (inner > 0) & (inner < limit)
        pixels = np.count_nonzero((self.values > 0) & (self.values < limit))
        for shifted in (self.values[:-2, 1:-1], self.values[2:, 1:-1], self.values[1:-1, :-2], self.values[1:-1, 2:]):
            flat &= shifted == inner
        return float(np.count_nonzero(flat) / pixels) if pixels else 0.0

    def _equal_share(self) -> float:
        """Return the fraction of the pixels with values other than 0 whose right neighbour has the same value."""
        left = self.values[:, :-1]
        some = np.count_nonzero(left)
        return float(np.count_nonzero((left == self.values[:, 1:]) & (left > 0)) / some) if some else 1.0


def decode_mask(data: bytes, page: int = 0) -> MaskImage:
    """Decode the bytes of a mask file. `page` is the image's index in a file of several (TIFF, GIF, APNG, WebP).

    Raises:
        MaskError: the file cannot be read as an image, or cannot be a mask. The message does not name the file.
    """
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            if page:
                image.seek(page)
            image.load()
            return _decoded(image)
    except MaskError:
        raise
    except UNREADABLE:
        raise MaskError("it cannot be read as a picture") from None


def _decoded(image: Image.Image) -> MaskImage:
    lossy = image.format == "JPEG"
    if image.mode == "P":
        return _indexed(image)
    if image.mode == "1":
        return MaskImage(np.where(np.array(image), np.uint8(255), np.uint8(0)))
    if image.mode == "L":
        return MaskImage(np.array(image, np.uint8), lossy=lossy)
    if image.mode in ("LA", "La", "PA", "RGBA", "RGBa"):
        return _with_alpha(np.array(image.convert("RGBA"), np.uint8))
    if image.mode in ("RGB", "CMYK", "YCbCr"):
        return _coloured(np.array(image.convert("RGB"), np.uint8), lossy)
    if image.mode.startswith("I") or image.mode == "F":
        return _deep(np.array(image))
    raise MaskError(f"it is a picture of mode {image.mode}; save masks as indexed or grey PNG of object ids")


def _indexed(image: Image.Image) -> MaskImage:
    """Decode an indexed image: its values are the indexes or, if its colours are of the DAVIS palette, their ids there.

    An image in which each index is its own grey value, or with black and white only, is decoded like a grey image. One
    in which other indexes than 0 are transparent is decoded like an RGBA image. If black has another index than 0, a
    second colour is the object, and more than one raise MaskError.
    """
    indexes = np.array(image, np.uint8)
    used = np.flatnonzero(np.bincount(indexes.ravel(), minlength=256))
    if "transparency" in image.info:
        clear = _clear_indexes(image.info["transparency"], used)
        if clear and clear != {0}:
            return _with_alpha(np.array(image.convert("RGBA"), np.uint8))
    stored = np.array(image.getpalette("RGB") or [], np.uint8).reshape(-1, 3)
    palette = np.zeros((256, 3), np.uint8)
    palette[: len(stored)] = stored
    colours = _packed(palette)
    if np.array_equal(palette[used], davis_palette()[used]):
        return MaskImage(indexes, are_ids=True)
    if (palette[used] == used[:, None]).all():
        return MaskImage(indexes)  # a grey image that was saved with a palette
    if len(set(colours[used].tolist())) == len(used):
        if set(_packed(stored).tolist()) <= _davis_ids().keys():
            table = np.array([_davis_ids().get(colour, 0) for colour in colours.tolist()], np.uint8)
            return MaskImage(table[indexes], are_ids=True)
        if set(colours[used].tolist()) <= {BLACK, WHITE}:
            return MaskImage(np.where(colours[indexes] == WHITE, np.uint8(255), np.uint8(0)))
        black = [index for index in used.tolist() if colours[index] == BLACK]
        if black and black != [0]:
            return _black_is_not_first(indexes, used, black[0])
    return MaskImage(indexes, are_ids=True)


def _black_is_not_first(indexes: LabelMap, used: NDArray[np.intp], black: int) -> MaskImage:
    if len(used) > 2:
        raise MaskError(
            f"its palette has black, the background, at index {black} and colours that are not those of DAVIS; "
            "save it with the background at index 0 and objects at 1, 2, ..."
        )
    return MaskImage(np.where(indexes == black, np.uint8(0), np.uint8(255)))


def _clear_indexes(transparency: bytes | int, used: NDArray[np.intp]) -> set[int]:
    """Return those of the indexes `used` that are transparent.

    `transparency` is as Pillow returns it: the alpha of each index for a PNG, the one transparent index for a GIF.
    """
    if isinstance(transparency, int):
        return {transparency} & set(used.tolist())
    return {int(index) for index in used if index < len(transparency) and transparency[index] < OPAQUE}


def _with_alpha(rgba: NDArray[np.uint8]) -> MaskImage:
    """Decode an RGBA image: DAVIS colours on a transparent background, or a cut-out object whose alpha is the mask."""
    alpha = rgba[..., 3]
    if (alpha == 255).all():
        return _coloured(rgba[..., :3], lossy=False)
    opaque = alpha >= OPAQUE
    packed = _packed(rgba[..., :3])
    colours = set(np.unique(packed[opaque]).tolist()) - {BLACK}
    if colours and colours <= _davis_ids().keys():
        return MaskImage(np.where(opaque, _by_palette(packed, opaque), np.uint8(0)), are_ids=True)
    return MaskImage(alpha.copy())


def _coloured(rgb: NDArray[np.uint8], lossy: bool) -> MaskImage:
    """Decode an RGB image: its colours are of the DAVIS palette, or its pixels are grey or nearly grey.

    Raises MaskError for other colours.
    """
    if not lossy:
        packed = _packed(rgb)
        colours = set(np.unique(packed).tolist())
        if colours <= {BLACK, WHITE}:
            return MaskImage(np.where(packed == WHITE, np.uint8(255), np.uint8(0)))
        if colours <= _davis_ids().keys():
            return MaskImage(_by_palette(packed, np.ones(packed.shape, bool)), are_ids=True)
    spread = np.ptp(rgb, axis=-1)
    if lossy and np.count_nonzero(spread > NEUTRAL) <= 0.001 * spread.size:
        return MaskImage(np.array(Image.fromarray(rgb).convert("L")), lossy=True)
    if not spread.any() or (int(spread.max()) <= NEUTRAL and not lossy):
        return MaskImage(np.ascontiguousarray(rgb[..., 1]), lossy=bool(spread.any()))
    if lossy:
        raise MaskError("it is a JPEG in colours, and JPEG changes colours: save masks as PNG")
    raise MaskError("it is a colour picture, and its colours are not those of the DAVIS palette")


def _deep(values: NDArray[np.generic]) -> MaskImage:
    """Decode values of 16 or 32 bits or floating point.

    Whole numbers up to 255 are kept, except for floating-point masks of 0 and 1. Other values must be a black-and-white
    mask, and are scaled to 0..255. Raises MaskError for anything else.
    """
    # Whole numbers are not copied: as floating-point numbers those of a frame of 8K take 270 MB.
    numbers: NDArray[Any] = values
    if values.dtype.kind == "f":
        numbers = np.nan_to_num(values.astype(np.float64), nan=-1.0)
    top = float(numbers.max(initial=0))
    whole = values.dtype.kind != "f" or bool((numbers == np.rint(numbers)).all())
    if numbers.min(initial=0) < 0:
        raise MaskError("it has values below 0; masks are pictures of object ids")
    if whole and top <= 255 and (top != 1 or values.dtype.kind != "f"):
        return MaskImage(numbers.astype(np.uint8))
    full = 1.0 if top <= 1 else 65535.0
    scaled = MaskImage(np.clip(np.rint(numbers / full * 255), 0, 255).astype(np.uint8), lossy=True)
    if scaled.threshold is None:
        raise MaskError(f"it has values up to {top:g}; ids of objects are 1 to 254")
    return scaled


@cache
def _davis_ids() -> dict[int, int]:
    """Return the id of each colour of the DAVIS palette, by the colour as `_packed` returns it."""
    return {int(colour): index for index, colour in enumerate(_packed(davis_palette()))}


def _by_palette(packed: NDArray[np.int32], wanted: NDArray[np.bool_]) -> LabelMap:
    colours, where = np.unique(np.where(wanted, packed, BLACK), return_inverse=True)
    ids = np.array([_davis_ids()[int(colour)] for colour in colours], np.uint8)
    return ids[where].reshape(packed.shape)


def _packed(rgb: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Return the colour of each pixel [..., 3] as one number, 0xRRGGBB."""
    packed = rgb[..., 0].astype(np.int32) << 16
    packed |= rgb[..., 1].astype(np.int32) << 8
    packed |= rgb[..., 2]
    return packed
