"""Synthetic motion and light for still images and videos: smooth camera paths, bending, and changes of colour."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Affine = NDArray[np.float64]  # [2, 3], source pixels -> target pixels


@dataclass(frozen=True, eq=False)
class Path:
    """How an image is warped for each frame of a clip: affine matrices [T, 2, 3], and a bend that grows with time."""

    matrices: NDArray[np.float64]
    bend: NDArray[np.float32] | None  # [h, w, 2] displacement in pixels of the target in the last frame; None = rigid


@dataclass(frozen=True)
class Range:
    """How much a clip is rotated, scaled, sheared, shifted and bent at random, as a whole and from frame to frame.

    The fields are largest values, except for `bend`, which is a standard deviation.
    """

    turn: float = 15.0  # degrees
    zoom: float = 1.4  # largest factor of the scale; its inverse is the smallest
    shear: float = 0.12
    turn_a_frame: float = 5.0
    zoom_a_frame: float = 1.06
    move_a_frame: float = 0.04  # fraction of the target's width
    bend: float = 0.03  # fraction of the target's height


def draw_path(
    random: np.random.Generator,
    frames: int,
    source: tuple[int, int],
    target: tuple[int, int],
    focus: tuple[float, float],
    limits: Range,
    moving: bool,
) -> Path:
    """Draw a random path with the pixel `focus` (x, y) of the source inside the target in the first frame.

    Args:
        frames: number of frames T of the clip.
        source, target: height and width of the image and of the clip's frames.
        limits: how much motion there is at most.
        moving: False: from frame to frame, the view only has a small jitter. This is for videos, which have their own
            motion.
    """
    height, width = target
    fit = max(height / source[0], width / source[1]) * np.exp(random.uniform(-1, 1) * np.log(limits.zoom))
    flip = -1.0 if random.random() < 0.5 else 1.0
    turn, shear = random.uniform(-limits.turn, limits.turn), random.uniform(-limits.shear, limits.shear)
    aim = np.array([random.uniform(0.25, 0.75) * width, random.uniform(0.25, 0.75) * height])
    pace = 1.0 if moving else 0.08
    d_turn = random.uniform(-1, 1) * limits.turn_a_frame * pace
    d_zoom = np.exp(random.uniform(-1, 1) * np.log(limits.zoom_a_frame) * pace)
    d_move = random.uniform(-1, 1, 2) * limits.move_a_frame * width * pace
    matrices = []
    for index in range(frames):
        wobble = random.normal(0, 0.15, 2) * d_move
        matrix = _affine(fit * d_zoom**index, turn + d_turn * index, shear, flip, focus, aim)
        if index == 0:
            aim += _cover(matrix, source, target)
            matrix = _affine(fit, turn, shear, flip, focus, aim)
        matrix[:, 2] += d_move * index + wobble
        matrices.append(matrix)
    bend = _bend(random, target, limits.bend) if moving and random.random() < 0.7 else None
    return Path(np.array(matrices), bend)


def _affine(
    scale: float, degrees: float, shear: float, flip: float, focus: tuple[float, float], aim: NDArray[np.float64]
) -> Affine:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    linear = scale * np.array([[c, -s], [s, c]]) @ np.array([[flip, shear], [0.0, 1.0]])
    return np.column_stack([linear, aim - linear @ np.array(focus)])


def _cover(matrix: Affine, source: tuple[int, int], target: tuple[int, int]) -> NDArray[np.float64]:
    """Return the shift (x, y) by which a warped image must be moved to cover as much of the target as possible."""
    height, width = source
    corners = np.array([[0, 0], [width, 0], [0, height], [width, height]]) @ matrix[:, :2].T + matrix[:, 2]
    shift = np.zeros(2)
    for axis, size in ((0, target[1]), (1, target[0])):
        low, high = corners[:, axis].min(), corners[:, axis].max()
        if high - low < size:
            shift[axis] = (size - low - high) / 2
        else:
            shift[axis] = -max(low, 0) + max(size - high, 0)
    return shift


def _bend(random: np.random.Generator, target: tuple[int, int], size: float) -> NDArray[np.float32]:
    coarse = random.normal(0, size * target[0], (4, 6, 2)).astype(np.float32)
    return np.asarray(cv2.resize(coarse, target[::-1], interpolation=cv2.INTER_CUBIC), np.float32)


def warp(
    picture: NDArray[np.uint8], path: Path, index: int, target: tuple[int, int], *, labels: bool, outside: int | None
) -> NDArray[np.uint8]:
    """Warp an image, or with `labels` a mask, to frame `index` of a clip with the size `target`.

    `outside` is the value of pixels beyond the border of the image; None: the image is mirrored there.
    """
    flags = cv2.INTER_NEAREST if labels else cv2.INTER_LINEAR
    border = cv2.BORDER_REFLECT_101 if outside is None else cv2.BORDER_CONSTANT
    value = (outside or 0,) * 3
    matrix = path.matrices[index]
    if path.bend is None:
        out = cv2.warpAffine(picture, matrix, target[::-1], flags=flags, borderMode=border, borderValue=value)
        return np.asarray(out, np.uint8)
    x, y = np.meshgrid(np.arange(target[1], dtype=np.float32), np.arange(target[0], dtype=np.float32))
    amount = (index + 1) / len(path.matrices)
    x, y = x + amount * path.bend[..., 0], y + amount * path.bend[..., 1]
    inverse = cv2.invertAffineTransform(matrix).astype(np.float32)
    u = inverse[0, 0] * x + inverse[0, 1] * y + inverse[0, 2]
    v = inverse[1, 0] * x + inverse[1, 1] * y + inverse[1, 2]
    return np.asarray(cv2.remap(picture, u, v, flags, borderMode=border, borderValue=value), np.uint8)


def light(random: np.random.Generator, frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Change the colours of a clip [T, H, W, 3] at random, drifting slightly over its frames.

    Sometimes the clip also becomes grey, or is blurred, gets noise or shows the blocks of a strong JPEG compression.
    """
    gain = random.uniform(0.7, 1.3) * random.uniform(0.9, 1.1, 3)
    gamma, shift, mix = random.uniform(0.75, 1.35), random.uniform(-20, 20), random.uniform(0.5, 1.4)
    if random.random() < 0.08:
        mix = 0.0
    drift = random.normal(0, 0.015)
    steps = np.arange(256, dtype=np.float64)
    out = np.empty_like(frames)
    for index, frame in enumerate(frames):
        curves = 255 * (steps[:, None] / 255) ** gamma * gain * (1 + drift * index) + shift
        lit = cv2.LUT(frame, np.clip(curves, 0, 255).astype(np.uint8)[None])
        grey = cv2.cvtColor(lit, cv2.COLOR_RGB2GRAY)[..., None]
        out[index] = np.clip(grey + mix * (lit.astype(np.float32) - grey), 0, 255)
    if random.random() < 0.25:
        out = _degrade(random, out)
    return out


def _degrade(random: np.random.Generator, frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
    kind = random.integers(3)
    if kind == 0:
        sigma = random.uniform(0.5, 1.5)
        return np.stack([np.asarray(cv2.GaussianBlur(frame, (0, 0), sigma), np.uint8) for frame in frames])
    if kind == 1:
        noise = random.normal(0, random.uniform(2, 10), frames.shape)
        return np.clip(frames + noise, 0, 255).astype(np.uint8)
    quality = int(random.integers(25, 70))
    coded = [cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, quality])[1] for frame in frames]
    return np.stack([np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8) for data in coded])
