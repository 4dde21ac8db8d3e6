"""Tests of the run-length encoding of masks and of containers of masks, most of them property tests.

Two tests read the examples in tests/data/masks.json, which the tests of the page read, too.
"""

from __future__ import annotations

import base64
import json
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from webapp.annotation import codec
from webapp.annotation.codec import BadMask, LabelMap, PackedMask

VECTORS = json.loads((Path(__file__).parents[2] / "data" / "masks.json").read_text())

sizes = st.tuples(st.integers(1, 40), st.integers(1, 40))
noise = sizes.flatmap(lambda size: arrays.arrays(np.uint8, size, elements=st.integers(0, 254)))
few_ids = sizes.flatmap(
    lambda size: arrays.arrays(np.uint8, size, elements=st.sampled_from([0, 3, 7]), fill=st.just(0))
)
blocks = sizes.flatmap(lambda size: arrays.arrays(np.uint8, size, elements=st.integers(0, 2))).map(
    lambda labels: np.kron(labels, np.ones((5, 9), np.uint8))
)
label_maps = st.one_of(noise, few_ids, blocks)


@given(label_maps)
@example(np.full((3, 4), 5, np.uint8))  # One object id is in the whole frame.
@example(np.array([[2, 1]], np.uint8))  # The first pixel has the highest object id.
@example(np.array([[254, 0], [0, 254]], np.uint8))
@example(np.zeros((1, 1), np.uint8))
def test_what_is_encoded_is_decoded(labels: LabelMap) -> None:
    decoded = codec.decode(codec.encode(labels))
    assert decoded.dtype == np.uint8
    np.testing.assert_array_equal(decoded, labels)


@given(label_maps)
def test_it_reads_slices_that_are_not_contiguous(labels: LabelMap) -> None:
    flipped = labels[::-1, ::-1].T
    np.testing.assert_array_equal(codec.decode(codec.encode(flipped)), flipped)


def test_an_empty_frame_costs_a_few_bytes() -> None:
    assert len(codec.encode(np.zeros((1080, 1920), np.uint8))) <= 10


@given(label_maps, st.integers(0, 400))
def test_a_mask_that_is_cut_off_is_refused(labels: LabelMap, keep: int) -> None:
    data = codec.encode(labels)
    with pytest.raises(BadMask):
        codec.decode(data[: min(keep, len(data) - 1)])


@given(st.binary(max_size=200))
@example(bytes([1, 255, 255, 1, 1, 0, 0, 1]))
def test_other_bytes_are_refused_or_decoded_but_never_crash(data: bytes) -> None:
    try:
        labels = codec.decode(data)
    except BadMask:
        return
    assert labels.dtype == np.uint8


def test_runs_that_inflate_beyond_the_frame_are_refused() -> None:
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = squeeze.compress(bytes([1]) * 50_000_000) + squeeze.flush()
    head = bytes([1, 8, 8, 0, 0, 8, 8, 2, 0, 1])
    with pytest.raises(BadMask, match="too long"):
        codec.decode(head + bomb)


def test_runs_that_do_not_fill_the_box_are_refused() -> None:
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
    runs = squeeze.compress(bytes([5])) + squeeze.flush()
    with pytest.raises(BadMask, match="expected 64 pixels, got 5"):
        codec.decode(bytes([1, 8, 8, 0, 0, 8, 8, 2, 0, 1]) + runs)


@pytest.mark.parametrize(
    "labels", [np.zeros((2, 2), np.int32), np.zeros((2, 2, 1), np.uint8), np.zeros((0, 4), np.uint8)]
)
def test_only_label_maps_are_encoded(labels: np.ndarray) -> None:
    with pytest.raises(ValueError, match="expected uint8"):
        codec.encode(labels)


packed_masks = st.builds(
    PackedMask,
    seq=st.integers(1, 2**40),
    round=st.integers(1, 2**31),
    frame=st.integers(0, 20_000),
    confidence=st.lists(st.integers(0, 255).map(lambda value: value / 255), max_size=6).map(tuple),
    data=st.binary(max_size=300),
)


@given(st.lists(packed_masks, max_size=5))
def test_a_container_gives_back_its_masks(masks: list[PackedMask]) -> None:
    assert codec.unpack(codec.pack(masks)) == masks


@given(packed_masks)
def test_a_container_that_is_cut_off_is_refused(mask: PackedMask) -> None:
    with pytest.raises(BadMask):
        codec.unpack(codec.pack([mask])[:-1] if mask.data else codec.pack([mask])[:3])


def test_confidence_outside_its_range_is_clipped() -> None:
    container = codec.pack([PackedMask(1, 1, 0, (1.5, -0.2), b"")])
    assert codec.unpack(container)[0].confidence == (1.0, 0.0)


@pytest.mark.parametrize("vector", VECTORS["masks"], ids=lambda vector: vector["name"])
def test_the_shared_vectors_are_read(vector: dict) -> None:
    values, lengths = np.array(vector["runs"]).T
    wanted = np.repeat(values, lengths).reshape(vector["height"], vector["width"])
    np.testing.assert_array_equal(codec.decode(base64.b64decode(vector["mask"])), wanted)


def test_the_shared_container_is_read() -> None:
    masks = codec.unpack(base64.b64decode(VECTORS["container"]["bytes"]))
    for mask, wanted in zip(masks, VECTORS["container"]["masks"], strict=True):
        assert (mask.seq, mask.round, mask.frame) == (wanted["seq"], wanted["round"], wanted["frame"])
        assert [round(value * 255) for value in mask.confidence] == wanted["confidence"]
        assert base64.b64encode(mask.data).decode() == wanted["mask"]
