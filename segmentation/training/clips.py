"""Makes training clips: a few frames of a video, or of a still image with synthetic motion, with pasted objects.

With the same data and settings, clip k of a run depends on (seed, k) alone, so a resumed run continues with the same
clips.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from segmentation.training.motion import Path, Range, draw_path, light, warp
from segmentation.training.sources import DataError, LabelledVideo, Sources
from segmentation.types import IGNORE

TRIES = 20  # number of attempts to find a view that shows an object
MIN_AREA = 0.004  # Smallest area of an object, as a fraction of the frame; smaller objects become background.
FEATHER = 0.8  # Blur of a pasted object's outline in pixels, so that a network cannot learn to see the hard edge.


@dataclass(frozen=True)
class ClipConfig:
    """The settings with which clips are made."""

    frames: int = 3
    height: int = 240
    width: int = 416
    max_gap: int = 4  # largest distance between two successive frames of a video clip
    reach: int = 0  # largest distance between the first two frames of a clip, if greater than max_gap
    video: float = 0.5  # probability of a clip from a video instead of a still image
    paste: float = 0.5  # probability of a pasted object; half of these clips get a second one
    max_objects: int = 3
    join: float = 0.0  # probability that touching objects are merged, as a rider and a horse in some data sets
    bars: float = 0.0  # probability of thin things in front of everything: poles, fences, branches
    motion: Range = field(default_factory=Range)


@dataclass(frozen=True, eq=False)
class Clip:
    """A training clip: frames, uint8 RGB [T, H, W, 3], and labels, uint8 [T, H, W], 0..num_objects, 255 = "ignore".

    Frame 0 shows at least object 1.
    """

    frames: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    num_objects: int


class Clips:
    """An endless sequence of clips: `clips[k]` makes clip k.

    It raises DataError if a frame or mask cannot be used, or if no object was found in TRIES attempts.
    """

    def __init__(self, sources: Sources, config: ClipConfig, seed: int) -> None:
        self.sources, self.config, self.seed = sources, config, seed
        # The videos and still images from which objects are pasted.
        self.pool: Sequence[LabelledVideo] = (*sources.stills, *sources.videos)

    @cached_property
    def key(self) -> str:
        """A name for these clips, which differs if the seed, the settings or the names of the sources differ."""
        names = [video.name for group in (self.sources.videos, self.sources.stills) for video in group]
        digest = hashlib.sha256(repr((self.config, names)).encode()).hexdigest()
        return f"{self.seed}-{digest[:12]}"

    def __getitem__(self, index: int) -> Clip:
        random = np.random.default_rng([self.seed, index])
        for _ in range(TRIES):
            clip = self._try(random)
            if clip is not None:
                return clip
        raise DataError(f"clip {index} shows no object in {TRIES} attempts: are the masks of the training data empty?")

    def _try(self, random: np.random.Generator) -> Clip | None:
        config = self.config
        wants_video = self.sources.videos and (random.random() < config.video or not self.sources.stills)
        group = self.sources.videos if wants_video else self.sources.stills
        base = self._view(random, group[int(random.integers(len(group)))], pasted=False)
        if base is None:
            return None
        frames, labels = base
        # Without this option no random number is drawn here, so that plans without it give the same clips as before.
        if config.join and random.random() < config.join:
            _join(random, labels)
        if random.random() < config.paste:
            for _ in range(1 + int(random.random() < 0.5)):
                self._paste(random, frames, labels)
        if config.bars and random.random() < config.bars:
            self._lay_bars(random, frames, labels)
        labels, count = _renumber(random, labels, config.max_objects)
        if not count:
            return None
        return Clip(light(random, frames), labels, count)

    def _view(
        self, random: np.random.Generator, video: LabelledVideo, *, pasted: bool
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8]] | None:
        """Return frames [T, H, W, 3] and labels [T, H, W] of a video, cropped and warped along a random camera path.

        None if the first frame shows no object. `pasted` says that an object of the result will be pasted into another
        clip.
        """
        config = self.config
        indices = _indices(random, len(video), config)
        loaded = [video.load(i, round(1.2 * config.height)) for i in dict.fromkeys(indices)]
        views = dict(zip(dict.fromkeys(indices), loaded, strict=True))
        ys, xs = np.nonzero((views[indices[0]][1] > 0) & (views[indices[0]][1] != IGNORE))
        if not len(ys):
            return None
        chosen = random.integers(len(ys))
        size = (config.height, config.width)
        path = draw_path(
            random,
            config.frames,
            views[indices[0]][1].shape,
            size,
            (float(xs[chosen]), float(ys[chosen])),
            config.motion,
            moving=len(views) == 1,
        )
        return _warp_all(views, indices, path, size, pasted)

    def _paste(self, random: np.random.Generator, frames: NDArray[np.uint8], labels: NDArray[np.uint8]) -> None:
        """Paste an object of a random video or still image in front of the clip's objects or sometimes behind them.

        `frames` and `labels` are changed in place.
        """
        view = self._view(random, self.pool[int(random.integers(len(self.pool)))], pasted=True)
        if view is None:
            return
        picture, found = view
        numbers = np.unique(found[0][(found[0] > 0) & (found[0] != IGNORE)])
        if not len(numbers):
            return
        cut = found == random.choice(numbers)
        if not MIN_AREA < cut[0].mean() < 0.35:
            return
        number = int(labels[labels != IGNORE].max(initial=0)) + 1
        if number >= IGNORE:
            return
        behind = random.random() < 0.25
        for index in range(len(frames)):
            shown = cut[index] & (labels[index] == 0) if behind else cut[index]
            alpha = cv2.GaussianBlur(shown.astype(np.float32), (0, 0), FEATHER)[..., None]
            frames[index] = frames[index] * (1 - alpha) + picture[index] * alpha
            labels[index][shown] = number

    def _lay_bars(self, random: np.random.Generator, frames: NDArray[np.uint8], labels: NDArray[np.uint8]) -> None:
        """Paste thin bars in front of everything in a clip, in one colour or with the texture of a random frame.

        The bars are labelled as background. `frames` and `labels` are changed in place.
        """
        ys, xs = np.nonzero((labels[0] > 0) & (labels[0] != IGNORE))
        if not len(ys):
            return
        height, width = labels.shape[1:]
        drift = random.normal(0, 0.01 * width, 2)  # shift per frame
        angle = random.uniform(0, np.pi)
        plain = random.uniform(0, 255) + random.normal(0, 30, 3) + random.normal(0, 8, (height, width, 1))
        filled = [np.clip(plain, 0, 255).astype(np.uint8)] * len(frames)
        if random.random() < 0.5:
            video = self.pool[int(random.integers(len(self.pool)))]
            picture, _ = video.load(int(random.integers(len(video))), height)
            filled = [np.asarray(cv2.resize(picture, (width, height)), np.uint8)] * len(frames)
        for _ in range(int(random.integers(1, 5))):
            chosen = random.integers(len(ys))
            line = _line(random, np.array([xs[chosen], ys[chosen]]), angle + random.normal(0, 0.15), width + height)
            thick = int(np.exp(random.uniform(np.log(2), np.log(0.05 * height))))
            for index in range(len(frames)):
                shown = np.zeros((height, width), np.float32)
                moved = np.round(line + index * drift).astype(np.int32)
                cv2.polylines(shown, [moved], False, 1.0, max(1, thick), cv2.LINE_AA)
                alpha = cv2.GaussianBlur(shown, (0, 0), FEATHER)[..., None]
                frames[index] = frames[index] * (1 - alpha) + filled[index] * alpha
                labels[index][(shown > 0.5) & (labels[index] != IGNORE)] = 0


def _line(random: np.random.Generator, through: NDArray[np.int64], angle: float, length: float) -> NDArray[np.float64]:
    """Return a slightly curved line through a point, [n, 2] with x and y. Sometimes it ends inside the frame."""
    along, across = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
    ends = np.where(random.random(2) < 0.25, random.uniform(0.03, 0.3, 2), 1.0) * length * (-1, 1)
    steps = np.linspace(ends[0], ends[1], 24)
    bend = random.normal(0, 0.15) * steps**2 / length
    return through + steps[:, None] * along + bend[:, None] * across


def _indices(random: np.random.Generator, length: int, config: ClipConfig) -> list[int]:
    """Choose the frames of a video with `length` frames for a clip: at random distances, forward or backward.

    A still image (`length` 1) is repeated.
    """
    if length == 1:
        return [0] * config.frames
    gaps = random.integers(1, config.max_gap + 1, config.frames - 1)
    if config.reach > config.max_gap:
        gaps[0] = random.integers(1, config.reach + 1)
    steps = np.concatenate([[0], np.cumsum(gaps)])
    steps = np.minimum(steps, length - 1)
    start = int(random.integers(0, length - steps[-1]))
    backwards = random.random() < 0.5
    if config.reach > config.max_gap:
        chosen: list[int] = (start + (steps[-1] - steps if backwards else steps)).tolist()
        return chosen
    chosen = (start + steps).tolist()
    return chosen[::-1] if backwards else chosen


def _warp_all(
    views: dict[int, tuple[NDArray[np.uint8], NDArray[np.uint8]]],
    indices: list[int],
    path: Path,
    size: tuple[int, int],
    pasted: bool,
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Warp the frames `indices` of a video and their labels to `size` [H, W] along a path.

    Beyond the border of a frame, the image is mirrored and labelled "ignore". If `pasted`, it is black there and
    labelled as background.
    """
    beyond, undecided = (0, 0) if pasted else (None, IGNORE)
    frames = [warp(views[i][0], path, t, size, labels=False, outside=beyond) for t, i in enumerate(indices)]
    labels = [warp(views[i][1], path, t, size, labels=True, outside=undecided) for t, i in enumerate(indices)]
    return np.stack(frames), np.stack(labels)


def _join(random: np.random.Generator, labels: NDArray[np.uint8]) -> None:
    """Merge a random object of frame 0 with all objects that touch it there, in all frames of `labels` in place."""
    numbers = np.unique(labels[0][(labels[0] > 0) & (labels[0] != IGNORE)])
    if len(numbers) < 2:
        return
    chosen = random.choice(numbers)
    grown = cv2.dilate((labels[0] == chosen).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    touching = np.setdiff1d(np.unique(labels[0][grown]), [0, IGNORE])
    labels[np.isin(labels, touching)] = chosen


def _renumber(random: np.random.Generator, labels: NDArray[np.uint8], most: int) -> tuple[NDArray[np.uint8], int]:
    """Keep at most `most` objects that are large enough in frame 0, and renumber them 1..n in random order.

    All other objects become background. Returns the new labels [T, H, W] and n.
    """
    counts = np.bincount(labels[0].ravel(), minlength=256)
    counts[[0, IGNORE]] = 0
    seen = np.flatnonzero(counts >= MIN_AREA * labels[0].size)
    random.shuffle(seen)
    kept = seen[:most]
    table = np.zeros(256, np.uint8)
    table[IGNORE] = IGNORE
    table[kept] = np.arange(1, len(kept) + 1)
    return table[labels], len(kept)
