from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from segmentation.masks import (
    Box,
    MaskError,
    box_of,
    boxes,
    davis_palette,
    read_mask,
    resize_labels,
    resize_probabilities,
    soft_aggregate,
    write_mask,
)
from tests.segmentation.shared_data import shared


def test_masks_come_back_as_they_were_written(tmp_path: Path) -> None:
    labels = np.arange(256, dtype=np.uint8).repeat(3).reshape(16, 48)
    write_mask(tmp_path / "m.png", labels)
    np.testing.assert_array_equal(read_mask(tmp_path / "m.png"), labels)


def test_a_written_mask_is_indexed_with_the_colours_of_davis(tmp_path: Path) -> None:
    write_mask(tmp_path / "m.png", np.array([[0, 1, 2, 3]], np.uint8))
    with Image.open(tmp_path / "m.png") as image:
        assert image.mode == "P"
        assert np.array(image.convert("RGB")).tolist() == [[[0, 0, 0], [128, 0, 0], [0, 128, 0], [128, 128, 0]]]


def test_the_palette_is_that_of_the_published_annotations() -> None:
    with Image.open(shared("data/davis/Annotations/480p/dog/00000.png")) as image:
        assert bytes(image.getpalette() or []) == davis_palette()


def test_it_reads_grey_and_one_bit_masks(tmp_path: Path) -> None:
    Image.fromarray(np.array([[0, 7]], np.uint8)).save(tmp_path / "grey.png")
    Image.fromarray(np.array([[False, True]])).save(tmp_path / "bit.png")
    assert read_mask(tmp_path / "grey.png").tolist() == [[0, 7]]
    assert read_mask(tmp_path / "bit.png").tolist() == [[0, 1]]


def test_it_refuses_colour_images_and_junk(tmp_path: Path) -> None:
    Image.new("RGB", (4, 4)).save(tmp_path / "rgb.png")
    (tmp_path / "junk.png").write_bytes(b"junk")
    with pytest.raises(MaskError, match=r"rgb\.png: an image of mode RGB"):
        read_mask(tmp_path / "rgb.png")
    with pytest.raises(MaskError, match=r"junk\.png: cannot be read"):
        read_mask(tmp_path / "junk.png")
    with pytest.raises(MaskError, match="uint8"):
        write_mask(tmp_path / "m.png", np.zeros((3, 3), np.int32))  # type: ignore[arg-type]


def test_boxes_are_tight_and_half_open() -> None:
    labels = np.zeros((10, 12), np.uint8)
    labels[2:5, 3:7] = 1
    labels[9, 11] = 4
    assert boxes(labels) == {1: Box(2, 3, 5, 7), 4: Box(9, 11, 10, 12)}
    assert box_of(labels == 9) is None
    assert Box(2, 3, 5, 7).grown(4, 10, 12) == Box(0, 0, 9, 11)
    assert (labels[Box(2, 3, 5, 7).slices] == 1).all()


def test_labels_are_resized_without_new_ids() -> None:
    labels = np.array([[0, 9], [3, 0]], np.uint8)
    large = resize_labels(labels, 6, 10)
    assert large.shape == (6, 10)
    assert set(np.unique(large)) == {0, 3, 9}
    np.testing.assert_array_equal(resize_labels(large, 2, 2), labels)


def test_probabilities_keep_their_mean_when_made_smaller() -> None:
    probabilities = np.random.default_rng(0).random((2, 8, 12)).astype(np.float32)
    small = resize_probabilities(probabilities, 4, 6)
    assert small.shape == (2, 4, 6)
    np.testing.assert_allclose(small.mean(axis=(1, 2)), probabilities.mean(axis=(1, 2)), atol=1e-6)


def test_soft_aggregation_is_a_softmax_over_logits() -> None:
    p = np.array([[[0.9]], [[0.3]]], np.float32)
    q = np.array([(1 - 0.9) * (1 - 0.3), 0.9, 0.3])
    logits = np.log(q / (1 - q))
    expected = np.exp(logits) / np.exp(logits).sum()
    np.testing.assert_allclose(soft_aggregate(p)[:, 0, 0], expected, rtol=1e-4)


def test_soft_aggregation_stays_finite_at_0_and_1() -> None:
    merged = soft_aggregate(np.array([[[0.0, 1.0, 1.0]], [[0.0, 0.0, 1.0]]], np.float32))
    assert np.isfinite(merged).all()
    np.testing.assert_allclose(merged.sum(axis=0), 1, rtol=1e-5)
    assert merged.argmax(axis=0)[0, :2].tolist() == [0, 1]
