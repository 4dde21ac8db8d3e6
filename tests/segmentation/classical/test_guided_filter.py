import numpy as np

from segmentation.classical.guided_filter import GuidedFilter


def test_a_blurred_edge_is_drawn_where_the_colours_change() -> None:
    scaled = np.zeros((40, 60, 3), np.uint8)
    scaled[:, 30:] = (200, 120, 40)
    soft = np.clip((np.arange(60) - 24) / 12, 0, 1).astype(np.float32)[None].repeat(40, axis=0)
    drawn = GuidedFilter.fitted(soft, scaled, 3, 1e-4).drawn(scaled)
    assert drawn[20, 30] - drawn[20, 29] > 0.25
    assert drawn[20, 29] < 0.5 < drawn[20, 30]


def test_without_edges_it_is_a_plain_mean() -> None:
    scaled = np.full((40, 60, 3), 90, np.uint8)
    values = np.random.default_rng(0).random((40, 60)).astype(np.float32)
    drawn = GuidedFilter.fitted(values, scaled, 3, 1e-4).drawn(scaled)
    assert drawn[10:30, 10:50].std() < 0.2 * values.std()
    assert abs(drawn.mean() - values.mean()) < 0.02


def test_it_is_drawn_on_a_larger_picture() -> None:
    small = np.zeros((20, 30, 3), np.uint8)
    small[:, 15:] = 220
    large = small.repeat(4, axis=0).repeat(4, axis=1)
    values = (small[..., 0] > 0).astype(np.float32)
    drawn = GuidedFilter.fitted(values, small, 3, 1e-4).drawn(large)
    assert drawn.shape == (80, 120)
    assert ((drawn > 0.5) == (large[..., 0] > 0)).mean() > 0.99


def test_constant_values_stay_constant() -> None:
    rng = np.random.default_rng(0)
    scaled = rng.integers(0, 255, (20, 30, 3)).astype(np.uint8)
    drawn = GuidedFilter.fitted(np.full((20, 30), 0.7, np.float32), scaled, 3, 1e-4).drawn(scaled)
    np.testing.assert_allclose(drawn, 0.7, atol=1e-3)
