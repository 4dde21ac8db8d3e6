"""Tests reading mask files of many kinds. Whether values or colours are object ids is decided for a whole sequence."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from segmentation.formats.label_png import MaskError, davis_palette, encode_labels
from segmentation.formats.mask_files import MaskFiles

Labels = NDArray[np.uint8]


def saved(image: Image.Image | NDArray[Any], kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(buffer, kind, **options)
    return buffer.getvalue()


def read(*files: bytes) -> list[Labels]:
    """Read the contents of mask files as the masks of one sequence."""
    masks = MaskFiles(range(len(files)), files.__getitem__, lambda number: f"car/{number:05}.png")
    return [masks.labels(number) for number in range(len(files))]


def disc(*ids: int, size: tuple[int, int] = (48, 64)) -> Labels:
    """Return a mask with discs side by side, one for each of the ids."""
    y, x = np.mgrid[: size[0], : size[1]]
    labels = np.zeros(size, np.uint8)
    for place, number in enumerate(ids):
        middle = size[1] * (place + 0.5) / max(len(ids), 1)
        labels[(x - middle) ** 2 + (y - size[0] / 2) ** 2 < (size[1] / (2.6 * max(len(ids), 2))) ** 2] = number
    return labels


def indexed(indexes: Labels, colours: list[tuple[int, int, int]]) -> Image.Image:
    image = Image.fromarray(indexes)
    image.putpalette(np.array(colours, np.uint8).tobytes())
    return image


def smoothed(mask: Labels, radius: float = 1.0) -> Image.Image:
    return Image.fromarray(mask).filter(ImageFilter.GaussianBlur(radius))


WHITE_255: dict[str, Callable[[Labels], bytes]] = {
    "grey": lambda mask: saved(mask * 255),
    "grey ramp as a palette": lambda mask: saved(indexed(mask * 255, [(i, i, i) for i in range(256)])),
    "palette of DAVIS": lambda mask: encode_labels(mask * 255),
    "palette of black and white": lambda mask: saved(indexed(mask, [(0, 0, 0), (255, 255, 255)])),
    "palette of white and black": lambda mask: saved(indexed(1 - mask, [(255, 255, 255), (0, 0, 0)])),
    "one bit": lambda mask: saved(mask.astype(bool)),
    "three channels": lambda mask: saved(np.repeat(mask[..., None] * 255, 3, axis=2)),
    "16 bits": lambda mask: saved(mask.astype(np.uint16) * 65535),
    "ids of 16 bits": lambda mask: saved(mask.astype(np.uint16)),
    "floating point": lambda mask: saved(mask.astype(np.float32), "TIFF"),
    "bitmap": lambda mask: saved(mask * 255, "BMP"),
    "JPEG": lambda mask: saved(mask * 255, "JPEG", quality=60),
    "JPEG in three channels": lambda mask: saved(np.repeat(mask[..., None] * 255, 3, axis=2), "JPEG", quality=60),
    "JPEG saved as PNG": lambda mask: saved(Image.open(io.BytesIO(saved(mask * 255, "JPEG", quality=60)))),
    "smoothed": lambda mask: saved(smoothed(mask * 255)),
    "smoothed, 200 at most": lambda mask: saved(smoothed(mask * 200)),
    "made smaller with smoothing": lambda mask: saved(
        Image.fromarray(mask * 255).resize((128, 96), 0).resize((64, 48), Image.Resampling.BICUBIC)
    ),
    "smoothed, three channels": lambda mask: saved(smoothed(mask * 255).convert("RGB")),
    "lossy WebP": lambda mask: saved(Image.fromarray(mask * 255).convert("RGB"), "WEBP", quality=60),
    "alpha of a cut-out": lambda mask: saved(cut_out(mask, 255)),
    "smoothed alpha of a cut-out": lambda mask: saved(cut_out(mask, 255, smooth=True)),
    "black over nothing": lambda mask: saved(np.dstack([np.zeros((*mask.shape, 3), np.uint8), mask * 255])),
    "white over nothing": lambda mask: saved(np.dstack([np.full((*mask.shape, 3), 255, np.uint8), mask * 255])),
    "grey with alpha": lambda mask: saved(Image.merge("LA", [Image.fromarray(mask * 77), Image.fromarray(mask * 255)])),
    "palette with a clear index": lambda mask: saved(indexed(1 - mask, [(9, 9, 9), (9, 9, 9)]), transparency=1),
}


def cut_out(mask: Labels, full: int, smooth: bool = False) -> NDArray[np.uint8]:
    """Return an RGBA image of random colours that is transparent outside the mask; its alpha is at most `full`."""
    photograph = np.random.default_rng(0).integers(0, 256, (*mask.shape, 3), np.uint8)
    alpha = np.asarray(smoothed(mask * full)) if smooth else mask * full
    return np.dstack([photograph, alpha])


@pytest.mark.parametrize("form", WHITE_255)
def test_every_form_of_a_mask_of_one_object_is_object_1(form: str) -> None:
    masks = [disc(1), disc(0), disc(1, size=(48, 64))]
    for mask, found in zip(masks, read(*map(WHITE_255[form], masks)), strict=True):
        assert set(np.unique(found)) <= {0, 1}
        wrong = np.count_nonzero(found != mask)
        exact = not any(word in form for word in ("JPEG", "smooth", "WebP"))
        assert wrong == 0 if exact else wrong <= 0.1 * np.count_nonzero(mask), f"{wrong} pixels"


def test_255_is_no_decision_where_another_frame_has_ids() -> None:
    only_ignored = disc(255)
    found = read(encode_labels(only_ignored), encode_labels(disc(1, 2, 255)))
    assert np.array_equal(found[0], only_ignored)
    assert set(np.unique(found[1])) == {0, 1, 2, 255}
    found = read(saved(only_ignored), saved(disc(1, 2, 255)))
    assert np.array_equal(found[0], only_ignored)


IDS: dict[str, Callable[[Labels], bytes]] = {
    "palette of DAVIS": encode_labels,
    "grey": saved,
    "colours of DAVIS": lambda labels: saved(davis_palette()[labels]),
    "colours of DAVIS over nothing": lambda labels: saved(over_nothing(labels)),
    "colours of DAVIS in another order": lambda labels: saved(shuffled(labels)),
    "colours of nobody": lambda labels: saved(
        indexed(labels, [(0, 0, 0), *[(9 * i, 200 - i, i) for i in range(1, 20)]])
    ),
    "every index of one colour": lambda labels: saved(indexed(labels, [(0, 0, 0)] * 20)),
    "lossless WebP": lambda labels: saved(davis_palette()[labels], "WEBP", lossless=True),
    "16 bits": lambda labels: saved(labels.astype(np.uint16)),
    "32 bits": lambda labels: saved(labels.astype(np.int32), "TIFF"),
    "grey in three channels": lambda labels: saved(np.repeat(labels[..., None], 3, axis=2)),
}


def over_nothing(labels: Labels) -> NDArray[np.uint8]:
    """Return an RGBA image with the objects in the colours of DAVIS, and a transparent background that is grey."""
    colours = np.where(labels[..., None] > 0, davis_palette()[labels], np.uint8(99))
    return np.dstack([colours, (labels > 0) * np.uint8(255)])


def shuffled(labels: Labels) -> Image.Image:
    """Return an indexed image whose palette has only the DAVIS colours that are used, in reverse order."""
    used = np.unique(labels)[::-1]
    table = np.zeros(256, np.uint8)
    table[used] = np.arange(len(used))
    return indexed(table[labels], [tuple(davis_palette()[number]) for number in used])


@pytest.mark.parametrize("form", IDS)
@pytest.mark.parametrize("ids", [(1,), (1, 2), (1, 3), (2, 5, 17), (4,)])
def test_every_form_of_ids_is_read_as_ids(form: str, ids: tuple[int, ...]) -> None:
    first, second = disc(*ids), disc(*ids[:1])
    found = read(IDS[form](first), IDS[form](second))
    assert np.array_equal(found[0], first)
    assert np.array_equal(found[1], second)


def test_a_frame_that_shows_one_object_has_the_ids_of_the_others() -> None:
    """The palette has a colour that DAVIS does not have, so that the indexes are the ids.

    This also holds for the second file, whose only object has the colour that id 2 has in DAVIS.
    """
    colours = [(0, 0, 0), (0, 128, 0), (255, 0, 0)]
    found = read(saved(indexed(disc(1, 2), colours)), saved(indexed(disc(1), colours)))
    assert np.array_equal(found[1], disc(1))


def test_many_small_objects_are_no_noise() -> None:
    labels = np.zeros((60, 60), np.uint8)
    for number in range(1, 101):
        row, column = divmod(number - 1, 10)
        labels[6 * row : 6 * row + 4, 6 * column : 6 * column + 4] = number
    assert np.array_equal(read(saved(labels))[0], labels)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (saved(np.random.default_rng(0).integers(0, 256, (40, 40), np.uint8)), "neither object ids nor plainly black"),
        (saved(np.tile(np.arange(256, dtype=np.uint8), (40, 1)), "JPEG"), "neither object ids nor plainly black"),
        (saved(disc(1, 5), "JPEG", quality=95), "neither object ids nor plainly black"),
        (saved(smoothed(disc(255), 9)), "neither object ids nor plainly black"),
        (saved(davis_palette()[disc(1, 2)], "JPEG"), "JPEG changes colours"),
        (saved(np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)), "colours are not those"),
        (saved(indexed(disc(1, 2) + 1, [(7, 7, 7), (1, 2, 3), (0, 0, 0), (4, 5, 6)])), "background, at index 2"),
        (saved(np.full((9, 9), 3000, np.uint16)), "values up to 3000"),
        (b"no picture", "cannot be read as a picture"),
        (encode_labels(np.zeros((90, 90), np.uint8))[:60], "cannot be read as a picture"),
    ],
)
def test_what_cannot_be_a_mask_is_a_sentence_that_names_the_file(data: bytes, words: str) -> None:
    with pytest.raises(MaskError, match=rf"^car/00001\.png: .*{words}"):
        read(saved(disc(0)), data)
