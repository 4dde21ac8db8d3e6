"""The still pictures of the sample video: the pebbles of a pond, two koi and a lily leaf, all drawn by the program.

Pictures are float32 in 0..1. A *sprite* is a picture [H, W, 4] of one thing: RGB multiplied by alpha, then alpha, so
that warping keeps edges clean. Koi look to the right, and their spine is the middle row.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

Picture = NDArray[Any]  # Float32 [H, W, 3] or [H, W]; the type stubs of OpenCV do not say which number type.
Sprite = NDArray[Any]  # [H, W, 4]

PEBBLE_COLORS = ((86, 104, 108), (104, 118, 116), (72, 92, 100), (122, 126, 116), (62, 80, 92), (96, 102, 96))
Outline = list[tuple[float, float]]
Fin = tuple[Outline, tuple[float, float]]  # The outline, and the point from which the rays of the fin fan out.
KOI_SIZE = (620, 330)  # The width and height of a koi's sprite.
LEAF_SIDE = 460


def noise(shape: tuple[int, int], cell: float, rng: np.random.Generator, octaves: int = 3) -> Picture:
    """Return smooth noise, [H, W] in 0..1, whose largest bumps are about `cell` pixels wide."""
    total = np.zeros(shape, np.float32)
    for octave in range(octaves):
        size = max(1.5, cell / 2**octave)
        coarse = rng.random((int(shape[0] / size) + 3, int(shape[1] / size) + 3), np.float32)
        total += cv2.resize(coarse, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC) / 2**octave
    low, high = float(total.min()), float(total.max())
    return (total - low) / (high - low)


def smoothstep(low: float, high: float, value: Picture) -> Picture:
    t = np.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def relief(height: Picture, strength: float) -> Picture:
    """Return the brightness of a surface of the given height, both [H, W], in light from the lower right.

    The brightness is 1 where the surface is level.
    """
    dx = cv2.Sobel(height, cv2.CV_32F, 1, 0, ksize=3)
    dy = cv2.Sobel(height, cv2.CV_32F, 0, 1, ksize=3)
    return np.clip(1 + strength * (-0.6 * dx - 0.8 * dy), 0.35, 1.7)


def pond_bottom(width: int, height: int) -> Picture:
    """Draw round pebbles under water, [height, width, 3].

    The pebbles are the Voronoi cells of random points, shaded as domes.
    """
    rng = np.random.default_rng(7)
    points = rng.random((width * height // 1500, 2)) * (width, height)
    grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), -1).astype(np.float32)
    bend = np.stack([noise((height, width), 26, rng), noise((height, width), 26, rng)], -1)
    distance, nearest = cKDTree(points).query((grid + 9 * bend).reshape(-1, 2), k=2)
    gap = (distance[:, 1] - distance[:, 0]).reshape(height, width).astype(np.float32)
    dome = smoothstep(0, 26, gap)
    colors = np.array(PEBBLE_COLORS, np.float32)[rng.integers(0, len(PEBBLE_COLORS), len(points))] / 255
    colors *= rng.uniform(0.75, 1.15, (len(points), 1)).astype(np.float32)
    picture = colors[nearest[:, 0]].reshape(height, width, 3)
    picture *= (0.82 + 0.36 * noise((height, width), 5, rng, 2))[..., None]
    picture *= (0.34 + 0.66 * smoothstep(0, 8, gap))[..., None] * relief(dome, 0.55)[..., None]
    picture *= (0.72 + 0.5 * noise((height, width), 240, rng, 2))[..., None]
    water = np.array((0.72, 0.98, 1.0), np.float32)
    return np.clip(cv2.GaussianBlur(picture, (0, 0), 0.8) * water, 0, 1)


def light_net(width: int, height: int, seed: int) -> Picture:
    """Draw the net of bright lines that waves cast on the bottom of water, [height, width] in 0..1.

    The lines are where smooth noise has a middle value.
    """
    field = noise((height, width), 74, np.random.default_rng(seed), 2)
    ridges = 1 - np.abs(2 * smoothstep(0.2, 0.8, field) - 1)
    return ridges**2.2


def _koi_shape(u: Picture) -> Picture:
    """Return half the width of a koi's body at u (0 = where the tail begins, 1 = nose), 0.875 at most."""
    return np.where((u > 0) & (u < 1), np.clip(u, 0, 1) ** 0.75 * np.clip(1 - u, 0, 1) ** 0.42 * 1.75 + 0.06, 0)


def _fin(shape: tuple[int, int], outline: Outline, root: tuple[float, float]) -> tuple[Picture, Picture]:
    """Return alpha and brightness, both [H, W], of a fin whose rays fan out from `root`."""
    points = np.array(outline, np.float32)
    t = np.linspace(0, len(points), 160, endpoint=False)
    smooth = np.stack([_closed_spline(points[:, axis], t) for axis in (0, 1)], -1)
    fin = np.zeros(shape, np.float32)
    cv2.fillPoly(fin, [np.round(smooth * 16).astype(np.int32)], 1.0, cv2.LINE_AA, 4)
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    rays = 0.5 + 0.5 * np.sin(np.arctan2(y - root[1], x - root[0]) * 46)
    return cv2.GaussianBlur(fin, (0, 0), 1.0), 0.72 + 0.34 * rays


def _closed_spline(values: NDArray[np.float32], t: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the closed Catmull-Rom spline through `values` at the parameters `t` in 0..len(values)."""
    i = np.floor(t).astype(int)
    f, n = t - i, len(values)
    a, b, c, d = (values[(i + k) % n] for k in (-1, 0, 1, 2))
    return 0.5 * (2 * b + (c - a) * f + (2 * a - 5 * b + 4 * c - d) * f**2 + (3 * b - a - 3 * c + d) * f**3)


def _koi(paint: Callable[[Picture, Picture, np.random.Generator], Picture], fins: tuple[float, float, float]) -> Sprite:
    """Draw a koi from above.

    `paint(u, v, rng)` returns the colour of the body; u is 0..1 along it, v is -1..1 across it.
    """
    width, height = KOI_SIZE
    rng = np.random.default_rng(11)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    middle, root, nose = height / 2, 0.25 * width, 0.97 * width
    u = (x - root) / (nose - root)
    half = _koi_shape(u) * 62
    v = (y - middle) / np.maximum(half, 1)
    body = smoothstep(-1.2, 1.2, half - np.abs(y - middle)) * (half > 0)

    scales = _scales(x, y)
    light = np.sqrt(np.clip(1 - v**2, 0, 1))
    color = paint(u, v, rng) * (0.42 + 0.62 * light)[..., None]
    color *= (1 - 0.2 * scales * smoothstep(0.9, 0.7, u))[..., None]
    gloss = np.exp(-(((v + 0.3) / 0.16) ** 2)) * smoothstep(0.05, 0.3, u) * smoothstep(1, 0.8, u)
    color += 0.22 * gloss[..., None]
    _face(color, x, y, middle, nose)

    picture = np.zeros((height, width, 4), np.float32)
    tint = np.array(fins, np.float32)
    for outline, at in _fin_outlines(middle, root):
        cover, rays = _fin((height, width), outline, at)
        _over(picture, tint * rays[..., None], 0.86 * cover)
    _over(picture, np.clip(color, 0, 1), body)
    back, rays = _fin(
        (height, width), [(300, middle), (360, middle - 9), (420, middle), (360, middle + 9)], (470, middle)
    )
    _over(picture, tint * 0.8 * rays[..., None], 0.8 * back * body)
    return picture


def _fin_outlines(middle: float, root: float) -> list[Fin]:
    """Return the outlines of the tail, two pectoral and two pelvic fins."""
    tail: Outline = [(root + 26, middle), (root - 40, middle - 26), (10, middle - 74), (34, middle - 22)]
    tail += [(60, middle), (34, middle + 22), (10, middle + 74), (root - 40, middle + 26)]
    found: list[Fin] = [(tail, (root + 50, middle))]
    for side in (-1, 1):
        front: Outline = [(452, middle + side * 40), (424, middle + side * 92), (372, middle + side * 138)]
        front += [(358, middle + side * 122), (396, middle + side * 48)]
        found.append((front, (452, middle + side * 24)))
        rear: Outline = [(300, middle + side * 38), (270, middle + side * 74)]
        rear += [(236, middle + side * 84), (262, middle + side * 34)]
        found.append((rear, (306, middle + side * 18)))
    return found


def _scales(x: Picture, y: Picture) -> Picture:
    """Draw the edges of overlapping scales, in 0..1: rows of arcs, of which every other row is shifted
    by half a scale.
    """
    row = np.floor(x / 9)
    dy = (y / 11 + 0.5 * (row % 2)) % 1 - 0.5
    dx = (x / 9) % 1 - 0.15
    return smoothstep(0.5, 0.7, np.sqrt(dx**2 + (1.3 * dy) ** 2))


def _face(color: Picture, x: Picture, y: Picture, middle: float, nose: float) -> None:
    for side in (-1, 1):
        eye = np.hypot(x - (nose - 50), y - (middle + side * 31))
        color *= (1 - 0.9 * smoothstep(7.5, 5.5, eye))[..., None]
        glint = np.hypot(x - (nose - 48), y - (middle + side * 31 - 2))
        color += 0.8 * smoothstep(2.6, 1.2, glint)[..., None]
        gill = np.abs(np.hypot(x - (nose - 60), (y - middle) * 0.9) - 62)
        color *= (1 - 0.3 * smoothstep(3, 0.5, gill) * (x < nose - 90))[..., None]


def _over(picture: Sprite, color: Picture, alpha: Picture) -> None:
    """Draw `color` with the opacity `alpha` over a sprite, in place."""
    picture *= (1 - alpha)[..., None]
    picture[..., :3] += color * alpha[..., None]
    picture[..., 3] += alpha


def red_koi() -> Sprite:
    """Draw a white koi with vermilion patches."""

    def paint(u: Picture, v: Picture, rng: np.random.Generator) -> Picture:
        field = noise(u.shape, 120, rng, 2) + 0.22 * np.cos(v * 1.4)
        patch = smoothstep(0.56, 0.6, field)[..., None]
        return (1 - patch) * np.array((1.0, 0.96, 0.9)) + patch * np.array((0.95, 0.24, 0.07))

    return _koi(paint, (1.0, 0.9, 0.84))


def golden_koi() -> Sprite:
    """Draw a golden koi with a dark ridge of spots along its back."""

    def paint(u: Picture, v: Picture, rng: np.random.Generator) -> Picture:
        speck = noise(u.shape, 30, rng, 2)
        spots = (smoothstep(0.62, 0.7, speck) * smoothstep(0.75, 0.2, np.abs(v)))[..., None]
        gold = np.array((1.0, 0.74, 0.1)) * (1 - 0.12 * noise(u.shape, 60, rng)[..., None])
        return (1 - spots) * gold + spots * np.array((0.16, 0.12, 0.1))

    return _koi(paint, (1.0, 0.8, 0.3))


def lily_leaf() -> Sprite:
    """Draw a round leaf with a notch and veins, seen from above. Its centre is the centre of the sprite."""
    rng = np.random.default_rng(5)
    y, x = np.mgrid[:LEAF_SIDE, :LEAF_SIDE].astype(np.float32)
    dx, dy = (x - LEAF_SIDE / 2) / (LEAF_SIDE / 2), (y - LEAF_SIDE / 2) / (LEAF_SIDE / 2)
    radius, angle = np.hypot(dx, dy), np.arctan2(dy, dx)
    rim = 0.9 + 0.018 * np.sin(7 * angle + 1) + 0.012 * np.sin(13 * angle)
    notch = smoothstep(0.0, 0.02, np.abs(angle - 0.5) - 0.24 * np.clip(radius, 0, 1) ** 1.6)
    cover = smoothstep(0.008, -0.008, radius - rim) * np.where(radius < 0.06, 1, notch)
    veins = np.exp(-((np.abs((angle * 17 / (2 * np.pi)) % 1 - 0.5) * radius / 0.035) ** 2)) * smoothstep(
        0.02, 0.2, radius
    )
    height = 0.5 * veins + 0.25 * radius + 0.6 * noise(x.shape, 40, rng)
    green = np.array((0.22, 0.52, 0.12)) + (0.14 * noise(x.shape, 90, rng))[..., None] * np.array((1.0, 0.9, 0.3))
    color = green * (0.85 + 0.3 * radius)[..., None] + 0.14 * veins[..., None] * np.array((0.9, 1.0, 0.5))
    edge = smoothstep(0.05, 0.0, rim - radius)[..., None]
    color = color * (1 - edge) + edge * np.array((0.46, 0.3, 0.14))
    color = np.clip(color * relief(cv2.GaussianBlur(height, (0, 0), 1.5), 2.2)[..., None], 0, 1)
    return np.dstack([color * cover[..., None], cover]).astype(np.float32)
