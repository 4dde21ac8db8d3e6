"""Tests that masks are written as label PNG and read back exactly, and that other images raise errors."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from PIL import Image

from segmentation.formats.label_png import (
    MaskError,
    davis_palette,
    decode_labels,
    encode_labels,
    read_labels,
    write_labels,
)
from tests.segmentation.shared_data import shared
from tests.webapp.videos.archives import picture

shapes = st.tuples(st.integers(1, 40), st.integers(1, 40))


@given(arrays(np.uint8, shapes))
def test_what_goes_in_comes_out(labels: NDArray[np.uint8]) -> None:
    assert np.array_equal(decode_labels(io.BytesIO(encode_labels(labels))), labels)


def test_the_palette_is_that_of_the_challenge() -> None:
    """The first colours of `davis_palette` are those published with PASCAL VOC and DAVIS."""
    assert davis_palette()[:9].tolist() == [
        [0, 0, 0],
        [128, 0, 0],
        [0, 128, 0],
        [128, 128, 0],
        [0, 0, 128],
        [128, 0, 128],
        [0, 128, 128],
        [128, 128, 128],
        [64, 0, 0],
    ]
    assert len({tuple(color) for color in davis_palette().tolist()}) == 256


def test_grey_and_one_bit_pictures_of_ids_are_read_as_they_are() -> None:
    ids = np.array([[0, 1, 255], [3, 0, 0]], np.uint8)
    assert np.array_equal(decode_labels(io.BytesIO(picture(ids))), ids)
    assert np.array_equal(decode_labels(io.BytesIO(picture(ids.astype(bool)))), ids > 0)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"no PNG", "cannot be read as a PNG"),
        (picture(np.zeros((4, 4), np.uint8), "JPEG"), "cannot be read as a PNG"),
        (picture(np.zeros((90, 90), np.uint8))[:60], "cannot be read as a PNG"),
        (picture(np.full((4, 4, 3), 17, np.uint8)), "mode RGB, expected an indexed or grey PNG"),
        (picture(np.zeros((4, 4), np.uint16)), "mode I;16"),
    ],
)
def test_it_says_what_a_picture_is_instead(data: bytes, words: str) -> None:
    with pytest.raises(MaskError, match=words):
        decode_labels(io.BytesIO(data))


@pytest.mark.parametrize("labels", [np.zeros((2, 2), np.int64), np.zeros((2, 2, 3), np.uint8)])
def test_it_encodes_nothing_but_label_maps(labels: NDArray[np.uint8]) -> None:
    with pytest.raises(MaskError, match="expected uint8"):
        encode_labels(labels)


def test_an_encoded_mask_is_indexed() -> None:
    with Image.open(io.BytesIO(encode_labels(np.zeros((3, 5), np.uint8)))) as image:
        assert (image.mode, image.size) == ("P", (5, 3))


def test_a_written_file_is_read_back(tmp_path: Path) -> None:
    labels = np.arange(256, dtype=np.uint8).repeat(3).reshape(16, 48)
    write_labels(tmp_path / "m.png", labels)
    assert np.array_equal(read_labels(tmp_path / "m.png"), labels)


def test_the_palette_is_that_of_the_published_annotations() -> None:
    with Image.open(shared("data/davis/Annotations/480p/dog/00000.png")) as image:
        assert bytes(image.getpalette() or []) == davis_palette().tobytes()


def test_a_file_that_is_no_mask_is_named(tmp_path: Path) -> None:
    (tmp_path / "junk.png").write_bytes(b"junk")
    with pytest.raises(MaskError, match=r"^junk\.png: it cannot be read"):
        read_labels(tmp_path / "junk.png")
    with pytest.raises(MaskError, match=r"^none\.png: No such file"):
        read_labels(tmp_path / "none.png")
