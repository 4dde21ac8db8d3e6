import numpy as np
import pytest

from segmentation.classical.appearance import (
    AppearanceSample,
    ObjectExtent,
    TextureModel,
    blend,
    colour_index,
    fit_colour_cells,
    fit_place_cells,
    place_index,
)
from segmentation.classical.object_tracker import fit_appearance
from segmentation.classical.pixel_features import CHANNELS, random_features
from segmentation.classical.scaled_frames import ScaledFrame, Sizes, scale_frame
from tests.segmentation.clips import make_clip


@pytest.fixture(scope="module")
def scene() -> tuple[ScaledFrame, np.ndarray]:
    clip = make_clip(length=1, height=120, width=200)
    return scale_frame(clip.frames[0], Sizes.of(120, 200, None)), (clip.truth[0] == 1).astype(np.float32)


def test_texture_solves_the_ridge_regression() -> None:
    """The texture model is a weighted ridge regression: it equals the solution by `np.linalg.solve`."""
    rng = np.random.default_rng(1)
    lifted = random_features(rng.normal(size=(30, 40, CHANNELS)).astype(np.float32))
    label = (rng.random(1200) < 0.3).astype(np.float32)
    weight = rng.random(1200).astype(np.float32)
    texture = TextureModel.fitted(lifted, label, weight)
    inside, outside = weight * label, weight * (1 - label)
    c = (inside / inside.sum() + outside / outside.sum()) / 2
    a = (lifted.T * c) @ lifted
    ridge = 1e-3 * np.trace(a) / len(a)
    w = np.linalg.solve(a.astype(float) + ridge * np.eye(len(a)), (lifted.T * c) @ (2 * label - 1))
    np.testing.assert_allclose(texture(lifted), np.clip(lifted @ w, -2, 2), atol=0.02)


def test_texture_tells_an_object_from_its_background(scene: tuple[ScaledFrame, np.ndarray]) -> None:
    scaled, mask = scene
    look = fit_appearance(0, scaled, mask)
    found = look.texture(random_features(scaled.pixel_features)).reshape(60, 100) > 0
    wanted = mask[::2, ::2] > 0.5
    assert (found == wanted).mean() > 0.95


def test_a_palette_holds_the_share_of_object_pixels_of_a_colour() -> None:
    lab = np.full((10, 20, 3), 200, np.uint8)
    lab[:, 10:] = 40
    mask = np.zeros((10, 20), np.float32)
    mask[:, :10] = 1
    cells = fit_colour_cells(colour_index(lab), mask, np.full((10, 20), 100, np.float32))
    share = cells(colour_index(lab))
    assert share[0, 0] > 0.95
    assert share[0, 15] < 0.05
    unknown = np.full((1, 1, 3), 120, np.uint8)
    assert cells(colour_index(unknown))[0, 0] == pytest.approx(0.5)


def test_places_move_with_the_object(scene: tuple[ScaledFrame, np.ndarray]) -> None:
    scaled, mask = scene
    cells = fit_place_cells(place_index(scaled.lab, ObjectExtent.of(mask)), mask, np.ones_like(mask))
    shifted, lab = np.roll(mask, 12, axis=1), np.roll(scaled.lab, 12, axis=1)
    share = cells(place_index(lab, ObjectExtent.of(shifted)))
    assert share[shifted > 0.5].mean() > 0.6
    assert share[shifted <= 0.5].mean() < 0.35


def test_a_crop_has_the_places_of_the_whole(scene: tuple[ScaledFrame, np.ndarray]) -> None:
    scaled, mask = scene
    middle = ObjectExtent.of(mask)
    whole = place_index(scaled.lab, middle)
    np.testing.assert_array_equal(place_index(scaled.lab[20:50, 30:90], middle, 20, 30), whole[20:50, 30:90])


def test_nearer_frames_weigh_more(scene: tuple[ScaledFrame, np.ndarray]) -> None:
    scaled, mask = scene
    yes, no = fit_appearance(0, scaled, mask), fit_appearance(30, scaled, 1 - mask)
    lifted = random_features(scaled.pixel_features)
    inside = mask[::2, ::2].ravel() > 0.5
    near_first = blend([yes, no], 0)[0](lifted)[inside].mean()
    near_second = blend([yes, no], 30)[0](lifted)[inside].mean()
    assert near_first > 0 > near_second


def test_an_object_that_is_not_there_is_background_everywhere(scene: tuple[ScaledFrame, np.ndarray]) -> None:
    scaled, mask = scene
    look: AppearanceSample = fit_appearance(0, scaled, np.zeros_like(mask))
    assert look.texture(random_features(scaled.pixel_features)).max() < 0
    assert look.palette(colour_index(scaled.lab)).max() <= 0.5
