"""Tests the cache of the appearance models (colours and texture) of objects: what is reused and what is evicted."""

import numpy as np
import pytest

from segmentation.classical import appearance_cache
from segmentation.classical.appearance_cache import AppearanceCache
from segmentation.classical.scaled_frames import ScaledFrames, Sizes
from segmentation.frames import ArrayFrames
from tests.segmentation.clips import make_clip


@pytest.fixture
def scaled_frames() -> ScaledFrames:
    clip = make_clip(length=3, height=48, width=64, num_objects=1)
    return ScaledFrames(ArrayFrames(clip.frames), Sizes.of(48, 64))


def mask(columns: int) -> np.ndarray:
    found = np.zeros((48, 64), np.float32)
    found[10:30, :columns] = 1
    return found


def test_the_same_mask_is_fitted_once_and_another_one_anew(scaled_frames: ScaledFrames) -> None:
    kept = AppearanceCache(scaled_frames)
    first = kept.of(1, 0, mask(20))
    assert kept.of(1, 0, mask(20)) is first
    changed = kept.of(1, 0, mask(30))
    assert not np.array_equal(changed.texture.b, first.texture.b)
    # The model of the former mask is fitted again, with the same result.
    np.testing.assert_array_equal(kept.of(1, 0, mask(20)).texture.b, first.texture.b)
    assert kept.of(2, 0, mask(20)) is not kept.of(1, 0, mask(20))


def test_the_least_recently_used_models_are_evicted(
    scaled_frames: ScaledFrames, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(appearance_cache, "KEPT", 2)
    kept = AppearanceCache(scaled_frames)
    first, second = kept.of(1, 0, mask(20)), kept.of(1, 1, mask(20))
    kept.of(1, 0, mask(20))
    kept.of(1, 2, mask(20))
    assert kept.of(1, 0, mask(20)) is first
    assert kept.of(1, 1, mask(20)) is not second
