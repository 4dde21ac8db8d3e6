"""Clips cut out of recorded walks: the frame that was drawn on, and frames anywhere on the way, as they were found."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path as File

import cv2
import numpy as np
from numpy.typing import NDArray

from segmentation.training.clips import Clip
from segmentation.training.drawn import DrawnClip, looks_of_frames
from segmentation.training.motion import Path, Range, draw_path, light, warp
from segmentation.training.sources import IGNORE, Shot
from segmentation.training.walks import Walk, load
from segmentation.types import Scribble

VIEW = Range(turn=8.0, zoom=1.25, shear=0.06)  # a recorded mistake is to stay the mistake that it is


class WalkClips:
    """Draws clips of recorded walks through `shots`. Raises ValueError where a walk's video is not among them."""

    def __init__(self, folder: File, shots: Sequence[Shot]) -> None:
        self.shots = {shot.name: shot for shot in shots}
        self.walks = [load(path) for path in sorted(folder.glob("*.json"))]
        if not self.walks:
            raise ValueError(f"{folder} holds no walks: python -m segmentation.training.walks records some")
        missing = {walk.shot for walk in self.walks} - set(self.shots)
        if missing:
            raise ValueError(f"{folder}: walks through {', '.join(sorted(missing))}, which are not among the videos")

    def draw(self, random: np.random.Generator, frames: int, size: tuple[int, int]) -> DrawnClip:
        """A clip of `frames` frames of `size` (height, width), the first of them the one that was drawn on."""
        walk = self.walks[int(random.integers(len(self.walks)))]
        others = [i for i in range(len(walk.frames)) if i != walk.start]
        chosen = [walk.start, *random.choice(others, frames - 1, replace=len(others) < frames - 1).tolist()]
        shot = self.shots[walk.shot]
        loaded = [shot.load(walk.frames[i], round(1.2 * size[0])) for i in chosen]
        path = _path(random, walk, loaded[0][1], size, frames)
        labels = np.stack(
            [
                warp(_renumbered(one, walk), path, t, size, labels=True, outside=IGNORE)
                for t, (_, one) in enumerate(loaded)
            ]
        )
        pictures = [warp(picture, path, t, size, labels=False, outside=None) for t, (picture, _) in enumerate(loaded)]
        guess = np.stack([_warped(walk, i, path, t, loaded[0][1].shape, size) for t, i in enumerate(chosen)])
        clip = Clip(light(random, np.stack(pictures)), labels, len(walk.numbers))
        cut = np.zeros(size, np.uint8)
        for object_id in range(1, len(walk.numbers) + 1):
            cut[guess[0, object_id - 1] > 127] = object_id
        strokes = tuple(moved for stroke in walk.strokes if (moved := _moved(stroke, path, loaded[0][1].shape, size)))
        still = (frames - 1, 2, *size)
        back, trust = np.zeros((*still, 2), np.float16), np.full(still, 255, np.uint8)
        return DrawnClip(clip, strokes, cut, back, trust, looks_of_frames(clip.frames), guess)


def _path(
    random: np.random.Generator, walk: Walk, labels: NDArray[np.uint8], size: tuple[int, int], frames: int
) -> Path:
    """A view of the whole clip that has the first object near its middle."""
    ys, xs = np.nonzero(np.isin(labels, walk.numbers))
    at = int(random.integers(len(ys)))
    return draw_path(random, frames, labels.shape, size, (float(xs[at]), float(ys[at])), VIEW, moving=False)


def _renumbered(labels: NDArray[np.uint8], walk: Walk) -> NDArray[np.uint8]:
    table = np.zeros(256, np.uint8)
    table[IGNORE] = IGNORE
    table[list(walk.numbers)] = np.arange(1, len(walk.numbers) + 1)
    return table[labels]


def _warped(
    walk: Walk, frame: int, path: Path, t: int, source: tuple[int, ...], size: tuple[int, int]
) -> NDArray[np.uint8]:
    """The probabilities found in a frame, in the clip's view [n, H, W]."""
    found = [
        cv2.resize(np.asarray(one), source[1::-1], interpolation=cv2.INTER_LINEAR) for one in walk.probability[frame]
    ]
    return np.stack([warp(one.view(np.ndarray), path, t, size, labels=False, outside=0) for one in found])


def _moved(stroke: Scribble, path: Path, source: tuple[int, ...], size: tuple[int, int]) -> Scribble | None:
    """The part of a stroke that is in the clip's view."""
    matrix = path.matrices[0]
    points = (stroke.path * (source[1] - 1, source[0] - 1)) @ matrix[:, :2].T + matrix[:, 2]
    points = points / (size[1] - 1, size[0] - 1)
    inside = points[((points >= 0) & (points <= 1)).all(axis=1)]
    return Scribble(stroke.object_id, inside) if len(inside) else None
