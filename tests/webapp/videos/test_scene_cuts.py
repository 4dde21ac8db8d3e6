"""Tests that scene cuts are found where the content changes for good, not at flashes, fast motion or fades."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from webapp.videos.scene_cuts import Signature, SignatureList, cuts_of, signature_of

Picture = NDArray[np.uint8]


def scene(seed: int, count: int, speed: int = 2) -> list[Picture]:
    """Return `count` frames, uint8 RGB [90, 160, 3], of random colours that move sideways by `speed` pixels a frame."""
    random = np.random.default_rng(seed)
    base = random.integers(0, 256, 3) * 0.5
    coarse = base + random.integers(0, 128, (9, 64, 3))
    wide = np.asarray(Image.fromarray(coarse.astype(np.uint8)).resize((640, 90)))
    return [np.roll(wide, -speed * i, axis=1)[:, :160] for i in range(count)]


def cuts(frames: list[Picture]) -> list[int]:
    noise = np.random.default_rng(0)
    signatures = SignatureList()
    for frame in frames:
        signatures.append(signature(frame, noise))
    return cuts_of(signatures.all())


def signature(frame: Picture, noise: np.random.Generator) -> Signature:
    noisy = np.clip(frame + noise.normal(0, 6, frame.shape), 0, 255).astype(np.uint8)
    return signature_of(Image.fromarray(noisy))


def test_each_new_scene_begins_with_a_cut() -> None:
    assert cuts([*scene(1, 20), *scene(2, 12), *scene(3, 30)]) == [20, 32]


def test_fast_motion_is_no_cut() -> None:
    assert cuts(scene(1, 40, speed=24)) == []


def test_a_flash_is_no_cut() -> None:
    frames = scene(1, 30)
    frames[14] = np.full_like(frames[14], 250)
    assert cuts(frames) == []


def test_a_slow_fade_is_no_cut() -> None:
    first, last = scene(1, 40), scene(2, 40)
    shares = np.clip((np.arange(40) - 5) / 30, 0, 1)
    mixed = [(a * (1 - s) + b * s).astype(np.uint8) for a, b, s in zip(first, last, shares, strict=True)]
    assert cuts(mixed) == []


def test_a_few_frames_have_no_cut() -> None:
    assert cuts([*scene(1, 3), *scene(2, 3)]) == []
