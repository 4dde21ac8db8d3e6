"""Generates small clips with ground truth: textured objects that move over a textured background."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from segmentation.types import Interaction, Scribble


@dataclass(frozen=True)
class Clip:
    frames: NDArray[np.uint8]  # [T, H, W, 3] RGB
    truth: NDArray[np.uint8]  # [T, H, W]
    num_objects: int


def make_clip(
    *, length: int = 8, height: int = 48, width: int = 64, num_objects: int = 1, seed: int = 0, speed: float = 0.012
) -> Clip:
    """Make a clip of moving ellipses.

    Objects with higher ids are in front. `speed` is in widths of the frame per frame.
    """
    rng = np.random.default_rng(seed)
    ground = _texture(rng, height * 2, width * 2, hue=100)
    skins = [_texture(rng, height, width, hue=int(i * 180 / num_objects) % 180) for i in range(num_objects)]
    frames, truth = [], []
    for t in range(length):
        shift = round(t * speed * width / 2)
        frame = ground[shift : shift + height, shift : shift + width].copy()
        labels = np.zeros((height, width), np.uint8)
        for i, skin in enumerate(skins):
            inside = _ellipse(i, num_objects, t, height, width, speed)
            move = round(t * speed * width) * (1 if i % 2 == 0 else -1)
            frame[inside] = np.roll(skin, move, axis=1)[inside]
            labels[inside] = i + 1
        frames.append(frame)
        truth.append(labels)
    return Clip(np.stack(frames), np.stack(truth), num_objects)


def scribble_of(mask: NDArray[np.bool_], object_id: int) -> Scribble:
    """Return a scribble along the middle of a mask, through the middle two thirds of its columns."""
    height, width = mask.shape
    columns = np.flatnonzero(mask.any(axis=0))
    inner = columns[len(columns) // 6 : len(columns) - len(columns) // 6]
    rows = [np.flatnonzero(mask[:, x]).mean() for x in inner]
    path = np.stack([inner / max(width - 1, 1), np.array(rows) / max(height - 1, 1)], axis=1)
    return Scribble(object_id, path)


def interaction_on(clip: Clip, frame: int, object_ids: tuple[int, ...] | None = None) -> Interaction:
    """Return a scribble on each object, or on each of `object_ids`, that has more than three pixels in `frame`."""
    ids = object_ids or tuple(range(1, clip.num_objects + 1))
    seen = [i for i in ids if (clip.truth[frame] == i).sum() > 3]
    return Interaction(frame, tuple(scribble_of(clip.truth[frame] == i, i) for i in seen))


def _texture(rng: np.random.Generator, height: int, width: int, hue: int) -> NDArray[np.uint8]:
    noise = [cv2.GaussianBlur(rng.random((height, width)), (0, 0), s) for s in (1.5, 4.0)]
    value = sum((n - n.min()) / max(np.ptp(n), 1e-9) for n in noise) / 2
    hsv = np.stack([np.full_like(value, hue), np.full_like(value, 170), 60 + 160 * value], axis=2)
    return cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2RGB).view(np.ndarray)


def _ellipse(index: int, count: int, t: int, height: int, width: int, speed: float) -> NDArray[np.bool_]:
    rows = int(np.ceil(count / 4))
    columns = int(np.ceil(count / rows))
    row, column = divmod(index, columns)
    sign = 1 if index % 2 == 0 else -1
    x = (column + 0.5) * width / columns + sign * t * speed * width - sign * 2 * speed * width
    y = (row + 0.5) * height / rows + 0.03 * height * np.sin(t / 3 + index)
    breathe = 1 + 0.1 * np.sin(t / 4 + index)
    a, b = 0.3 * width / max(columns, 2) * breathe, 0.3 * height / max(rows, 1.5) / breathe
    yy, xx = np.mgrid[0:height, 0:width]
    return ((xx - x) / a) ** 2 + ((yy - y) / b) ** 2 <= 1
