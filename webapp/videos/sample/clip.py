"""The sample video of the first run: two koi cross each other, and one swims below a lily leaf.

It is rendered by the program, so its ground truth is known: id 1 is the red and white koi, 2 the golden koi, 3 the
leaf, which floats above both.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import tee
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from segmentation.formats.label_png import LabelMap
from webapp.accounts.models import User
from webapp.projects.models import Project
from webapp.videos.create import create_video
from webapp.videos.models import Video
from webapp.videos.sample.art import KOI_SIZE, Picture, Sprite, golden_koi, light_net, lily_leaf, pond_bottom, red_koi
from webapp.videos.storage import RgbFrame

CLIP_NAME = "Koi pond"
WIDTH, HEIGHT, FRAMES, FPS = 854, 480, 96, 24.0
MARGIN = 90  # The pixels of pond bottom around the picture, because the camera drifts.
Grid = NDArray[Any]  # One coordinate (x or y) in a sprite for each pixel of a part of the picture.
Warp = Callable[[Grid, Grid, float], tuple[Grid, Grid]]


@dataclass(frozen=True)
class Pose:
    """Where a sprite is in the picture.

    The centre is in pixels, the heading in radians (0 = to the right), and the scale is relative to the sprite's own
    size.
    """

    x: float
    y: float
    heading: float
    scale: float


@dataclass(frozen=True)
class Swimmer:
    """A koi that swims along a quadratic Bezier curve while its body waves."""

    start: tuple[float, float]
    bend: tuple[float, float]
    end: tuple[float, float]
    scale: float
    beats: float  # The number of tail beats in the whole video.

    def pose(self, t: float) -> Pose:
        """Return the pose at time t in 0..1, with the nose in the direction of the curve."""
        a, b, c = (np.array(point) for point in (self.start, self.bend, self.end))
        x, y = (1 - t) ** 2 * a + 2 * t * (1 - t) * b + t**2 * c
        dx, dy = 2 * (1 - t) * (b - a) + 2 * t * (c - b)
        return Pose(float(x), float(y), float(np.arctan2(dy, dx)), self.scale)

    def warp(self, x: Grid, y: Grid, t: float) -> tuple[Grid, Grid]:
        """Map points of the bent koi to points of its straight sprite, at time t in 0..1.

        Both are relative to the centre: x along the heading, y across it. The bend is a wave that runs toward the tail
        and grows on its way, plus the curvature of the path that the koi swims.
        """
        turn = self.pose(t + 0.02).heading - self.pose(t - 0.02).heading
        tail = np.clip(0.5 - x / KOI_SIZE[0], 0, 1.2)  # 0 at the nose, 1 at the end of the tail.
        wave = np.sin(2 * np.pi * (0.8 * tail - self.beats * t)) * (5 + 74 * tail**1.8)
        return x, y - wave - turn * 700 * (tail - 0.35) ** 2


RED = Swimmer((150, 372), (430, 430), (716, 96), 0.5, 5.5)
GOLD = Swimmer((716, 140), (500, 360), (120, 306), 0.44, 6.5)


def leaf_pose(t: float) -> Pose:
    return Pose(222 + 90 * t + 8 * np.sin(5 * t), 112 + 196 * t, 0.9 * t - 0.4, 0.44 + 0.008 * np.sin(9 * t))


def warp_leaf(x: Grid, y: Grid, t: float) -> tuple[Grid, Grid]:
    """Map points of the rippling leaf to points of its sprite, at time t in 0..1. Ripples move its rim in and out."""
    angle = np.arctan2(y, x)
    swell = 1 + 0.035 * np.sin(3 * angle + 9 * t) + 0.02 * np.sin(5 * angle - 13 * t)
    return x * swell, y * swell


@dataclass(frozen=True)
class Layer:
    """A sprite that was placed in the picture.

    `pixels`, [h, w, 4], are those of the rectangle whose upper left corner in the picture is `x`, `y`.
    """

    x: int
    y: int
    pixels: Sprite

    @property
    def rectangle(self) -> tuple[slice, slice]:
        height, width = self.pixels.shape[:2]
        return slice(self.y, self.y + height), slice(self.x, self.x + width)

    @property
    def alpha(self) -> Picture:
        return self.pixels[..., 3:]

    def shadow(self, dx: float, dy: float, softness: float) -> Picture:
        """Return the fraction of the light that the layer blocks for what is below it, [HEIGHT, WIDTH, 1] in 0..1.

        The shadow is shifted by `dx`, `dy` pixels and blurred by `softness`.
        """
        shift = np.array([[1, 0, self.x + dx], [0, 1, self.y + dy]], np.float32)
        moved = cv2.warpAffine(np.ascontiguousarray(self.pixels[..., 3]), shift, (WIDTH, HEIGHT))
        return cv2.GaussianBlur(moved, (0, 0), softness)[..., None]


def place(sprite: Sprite, pose: Pose, warp: Warp, t: float) -> Layer:
    """Bend a sprite by `warp` at time `t`, and turn, scale and move it to `pose`.

    Return it as a layer: the part of the picture in which it lies.
    """
    height, width = sprite.shape[:2]
    reach = 0.56 * pose.scale * np.hypot(width, height)
    left, right = int(max(0, pose.x - reach)), int(min(WIDTH, pose.x + reach))
    top, bottom = int(max(0, pose.y - reach)), int(min(HEIGHT, pose.y + reach))
    x, y = np.meshgrid(np.arange(left, right, dtype=np.float32), np.arange(top, bottom, dtype=np.float32))
    x, y = (x - pose.x) / pose.scale, (y - pose.y) / pose.scale
    cos, sin = np.cos(pose.heading), np.sin(pose.heading)
    across, down = warp(x * cos + y * sin, y * cos - x * sin, t)
    across, down = (across + width / 2).astype(np.float32), (down + height / 2).astype(np.float32)
    return Layer(left, top, cv2.remap(sprite, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT))


class Pond:
    """The parts of the sample video that are drawn once: the bottom, the light, the sprites and the camera's grain.

    `frame` combines them to one frame.
    """

    def __init__(self) -> None:
        size = (WIDTH + 2 * MARGIN, HEIGHT + 2 * MARGIN)
        self.bottom = pond_bottom(*size)
        self.nets = [light_net(*size, seed) for seed in (21, 22)]
        self.sprites = (red_koi(), golden_koi(), lily_leaf())
        self.grain = np.random.default_rng(3).normal(0, 0.012, (2 * HEIGHT, 2 * WIDTH, 1)).astype(np.float32)

    def frame(self, index: int) -> tuple[RgbFrame, LabelMap]:
        """Return frame `index`, uint8 RGB [HEIGHT, WIDTH, 3], and its ground truth, uint8 [HEIGHT, WIDTH]."""
        t = index / (FRAMES - 1)
        red, gold, leaf = self.sprites
        layers = [
            place(red, RED.pose(t), RED.warp, t),
            place(gold, GOLD.pose(t), GOLD.warp, t),
            place(leaf, leaf_pose(t), warp_leaf, t),
        ]
        return self._picture(layers, t, index), truth_of(layers)

    def _view(self, picture: Picture, t: float, drift: tuple[float, float] = (0, 0)) -> Picture:
        """Return the part of `picture` that the camera sees at time t, moved by another `drift` pixels."""
        x = MARGIN * (1 + 0.85 * np.sin(2.2 * t - 0.6)) + drift[0]
        y = MARGIN * (1 + 0.7 * np.cos(2.6 * t)) + drift[1]
        shift = np.array([[1, 0, -x], [0, 1, -y]], np.float32)
        return cv2.warpAffine(picture, shift, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT)

    def _light(self, t: float) -> Picture:
        """Return the light on the bottom at time t, [HEIGHT, WIDTH, 1], around 1.

        It is made of two nets of light that drift through each other.
        """
        first = self._view(self.nets[0], t, (55 * t, -30 * t))
        second = self._view(self.nets[1], t, (-48 * t, 36 * t))
        return (0.8 + 0.95 * np.sqrt(first * second))[..., None]

    def _picture(self, layers: list[Layer], t: float, index: int) -> RgbFrame:
        """Draw one frame at time t: the bottom, the shadows of the koi, the koi, the shadow of the leaf, and the leaf.

        The grain of the camera is added last.
        """
        light = self._light(t)
        image = self._view(self.bottom, t) * light
        *koi, leaf = layers
        for layer in koi:
            image *= 1 - 0.5 * layer.shadow(-16, 26, 9)
        for layer in koi:
            part = image[layer.rectangle]
            part *= 1 - layer.alpha
            part += layer.pixels[..., :3] * (0.62 + 0.38 * light[layer.rectangle])
        image *= 1 - 0.45 * leaf.shadow(-10, 15, 6)
        part = image[leaf.rectangle]
        part *= 1 - leaf.alpha
        part += leaf.pixels[..., :3]
        y, x = 37 * index % HEIGHT, 61 * index % WIDTH
        image += self.grain[y : y + HEIGHT, x : x + WIDTH]
        return np.clip(image * 255 + 0.5, 0, 255).astype(np.uint8)


def truth_of(layers: list[Layer]) -> LabelMap:
    """Return the ground truth: in each pixel, the id of the uppermost layer that covers more than half of it."""
    labels = np.zeros((HEIGHT, WIDTH), np.uint8)
    for number, layer in enumerate(layers, 1):
        labels[layer.rectangle][layer.pixels[..., 3] > 0.5] = number
    return labels


def render() -> Iterator[tuple[RgbFrame, LabelMap]]:
    """Yield every frame with its ground truth, in order. The result is always the same."""
    pond = Pond()
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:  # NumPy and OpenCV release the interpreter's lock.
        yield from pool.map(pond.frame, range(FRAMES))


def add_sample_clip(*, project: Project, author: User) -> Video:
    """Render the sample video into `project`, with its ground truth. This takes some seconds.

    Raises Refused if the disk is too full or a quota leaves no room.
    """
    first, second = tee(render())
    frames, truth = (frame for frame, _ in first), (labels for _, labels in second)
    return create_video(project=project, name=CLIP_NAME, frames=frames, truth=truth, author=author, fps=FPS)
