import numpy as np

from segmentation.masks import (
    Box,
    box_of,
    boxes,
    resize_labels,
    resize_probabilities,
    soft_aggregate,
)


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
