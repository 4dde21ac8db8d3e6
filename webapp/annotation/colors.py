"""The colours of objects: as many as a video can have objects, so that no two objects need to share a colour."""

from __future__ import annotations

from collections.abc import Collection
from colorsys import hls_to_rgb
from functools import cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

Rgb = NDArray[np.float64]  # [N, 3], each value 0..1

MOST_OBJECTS = 254  # Ids in a label map are bytes, 0 is the background, and 255 means "ignore".
STAGE = "#090a0c"  # The ground of the picture in the dark theme, from which masks and names have to stand out.
LEAST_CONTRAST = 4.5
# The first colours are chosen by hand: neighbours differ in hue and in lightness.
CHOSEN = (
    "#4cc9f0",
    "#f72585",
    "#ffd166",
    "#06d6a0",
    "#b388ff",
    "#ff8c42",
    "#8ac926",
    "#ff5d8f",
    "#00b4d8",
    "#e9c46a",
    "#c77dff",
    "#90f1ef",
)
# CIE XYZ of sRGB, relative to the white point D65.
_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
_WHITE = np.array([0.9505, 1.0, 1.089])


@cache
def palette() -> tuple[str, ...]:
    """Return `MOST_OBJECTS` different colours as #rrggbb. The first ones were chosen by hand.

    Each further colour is, of a grid of candidates, the one that is farthest in CIE Lab from all colours before it.
    """
    grid = product(np.linspace(0, 1, 36, endpoint=False), np.linspace(0.4, 0.9, 9), (0.3, 0.6, 1.0))
    candidates = np.array([hls_to_rgb(hue, lightness, saturation) for hue, lightness, saturation in grid])
    candidates = np.round(candidates * 255) / 255
    candidates = candidates[contrast(candidates, rgb_of([STAGE])[0]) >= LEAST_CONTRAST]
    places, chosen = lab_of(candidates), lab_of(rgb_of(CHOSEN))
    nearest = np.linalg.norm(places[:, None] - chosen[None], axis=2).min(axis=1)
    colors = list(CHOSEN)
    while len(colors) < MOST_OBJECTS:
        farthest = int(nearest.argmax())
        colors.append("#" + "".join(f"{round(value * 255):02x}" for value in candidates[farthest]))
        nearest = np.minimum(nearest, np.linalg.norm(places - places[farthest], axis=1))
    return tuple(colors)


def unused_color(used: Collection[str], like: str | None = None) -> str:
    """Return `like` if it is not in `used`, otherwise the colour of the palette nearest to it that is not in `used`.

    Without `like`, return the first colour of the palette that is not in `used`. If the whole palette is in `used`,
    `like` or the first colour is returned.
    """
    taken = {color.lower() for color in used}
    if like is not None and like.lower() not in taken:
        return like
    wanted = CHOSEN if like is None else ()
    free = [color for color in wanted if color not in taken] or [color for color in palette() if color not in taken]
    if not free or like is None:
        return free[0] if free else like or CHOSEN[0]
    return free[int(np.linalg.norm(lab_of(rgb_of(free)) - lab_of(rgb_of([like])), axis=1).argmin())]


def rgb_of(colors: Collection[str]) -> Rgb:
    return np.array([[int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)] for color in colors])


def lab_of(rgb: Rgb) -> Rgb:
    """Convert sRGB to CIE Lab, in which the distance of two colours is about as large as the difference that people
    see.
    """
    ratio = _linear(rgb) @ _XYZ.T / _WHITE
    root = np.where(ratio > 0.008856, np.cbrt(ratio), ratio * 7.787 + 16 / 116)
    x, y, z = root.T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1)


def contrast(rgb: Rgb, other: Rgb) -> NDArray[np.float64]:
    """Return the contrast, 1..21 as WCAG 2 defines it, of each of N colours [N, 3] with the colour `other` [3]."""
    light, ground = _linear(rgb) @ _XYZ[1], float(_linear(other) @ _XYZ[1])
    return (np.maximum(light, ground) + 0.05) / (np.minimum(light, ground) + 0.05)


def _linear(rgb: Rgb) -> Rgb:
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
