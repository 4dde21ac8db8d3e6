"""Training clips made of recorded propagations: annotated frames, and other frames with the masks recorded there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path as File

import cv2
import numpy as np
from numpy.typing import NDArray

from segmentation.training.clips import Clip
from segmentation.training.motion import Path, Range, draw_path, light, warp
from segmentation.training.recorded_propagations import RecordedPropagation, load, renumbered
from segmentation.training.sources import Shot
from segmentation.training.star_clips import StarClip, pixel_features_of_frames
from segmentation.types import IGNORE, Scribble

VIEW = Range(turn=8.0, zoom=1.25, shear=0.06)  # a recorded mistake is to stay the mistake that it is


class RecordedClips:
    """Draws clips of the recordings in `folder`. Raises ValueError where the video of a recording is not in `shots`."""

    def __init__(self, folder: File, shots: Sequence[Shot]) -> None:
        self.shots = {shot.name: shot for shot in shots}
        self.recordings = [load(path) for path in sorted(folder.glob("*.json"))]
        if not self.recordings:
            raise ValueError(
                f"{folder} holds no recordings: python -m segmentation.training.recorded_propagations makes some"
            )
        missing = {recording.shot for recording in self.recordings} - set(self.shots)
        if missing:
            raise ValueError(
                f"{folder}: recordings through {', '.join(sorted(missing))}, which are not among the videos"
            )

    def draw(self, random: np.random.Generator, frames: int, size: tuple[int, int]) -> StarClip:
        """A clip of `frames` frames of `size` (height, width), as they stood after one of the rounds.

        The first two were drawn on by then (the same one twice, after the first round).
        """
        recording = self.recordings[int(random.integers(len(self.recordings)))]
        round_ = int(random.integers(len(recording.drawn)))
        drawn = list(dict.fromkeys(recording.drawn[: round_ + 1]))
        annotated = (2 * random.permutation(drawn).tolist())[:2]
        others = [i for i in range(len(recording.frames)) if i not in drawn] or drawn
        chosen = [*annotated, *random.choice(others, frames - 2, replace=len(others) < frames - 2).tolist()]
        clip, guess, move = self._view(random, recording, round_, chosen, size)
        first, second = (
            tuple(moved for stroke in _strokes(recording, i, round_) if (moved := move(stroke, t)))
            for t, i in enumerate(annotated)
        )
        return StarClip(clip, (first, second), guess, True, pixel_features_of_frames(clip.frames))

    def draw_pair(self, random: np.random.Generator, size: tuple[int, int]) -> tuple[Clip, NDArray[np.uint8]]:
        """Two neighbouring frames and what was found in the first one: probabilities uint8 [n, H, W], 255 = 1.

        The first one is the worse of two that were drawn by lot: those that are bad get corrected.
        """
        recording = self.recordings[int(random.integers(len(self.recordings)))]
        round_ = int(random.integers(len(recording.drawn)))
        worst = min(
            random.integers(len(recording.frames), size=2).tolist(), key=lambda i: self._overlap(recording, round_, i)
        )
        beside = worst + 1 if worst + 1 < len(recording.frames) else worst - 1
        clip, guess, _ = self._view(random, recording, round_, [worst, beside], size)
        return clip, guess[0]

    def _overlap(self, recording: RecordedPropagation, round_: int, i: int) -> float:
        """Soft J of what was found of all objects in a frame of a recording."""
        found = recording.probability[round_, i].max(axis=0) / 255
        _, labels = self.shots[recording.shot].load(recording.frames[i], min(found.shape))
        truth = np.isin(cv2.resize(labels, found.shape[::-1], interpolation=cv2.INTER_NEAREST), recording.numbers)
        union = np.maximum(found, truth).sum()
        return float(np.minimum(found, truth).sum() / union) if union else 1.0

    def _view(
        self,
        random: np.random.Generator,
        recording: RecordedPropagation,
        round_: int,
        chosen: list[int],
        size: tuple[int, int],
    ) -> tuple[Clip, NDArray[np.uint8], Callable[[Scribble, int], Scribble | None]]:
        """Some frames of a recording, what was found in them after a round, and how strokes get into their view."""
        shot = self.shots[recording.shot]
        loaded = [shot.load(recording.frames[i], round(1.2 * size[0])) for i in chosen]
        source = loaded[0][1].shape
        path = _path(random, recording, [labels for _, labels in loaded], size)
        labels = np.stack(
            [
                warp(renumbered(frame_labels, recording.numbers), path, t, size, labels=True, outside=IGNORE)
                for t, (_, frame_labels) in enumerate(loaded)
            ]
        )
        pictures = [warp(picture, path, t, size, labels=False, outside=None) for t, (picture, _) in enumerate(loaded)]
        guess = np.stack(
            [_warped(recording.probability[round_, i], path, t, source, size) for t, i in enumerate(chosen)]
        )
        clip = Clip(light(random, np.stack(pictures)), labels, len(recording.numbers))
        return clip, guess, lambda stroke, t: _moved(stroke, path, t, source, size)


def _strokes(recording: RecordedPropagation, frame: int, round_: int) -> list[Scribble]:
    """All that was drawn on a frame up to a round."""
    rounds = zip(recording.drawn[: round_ + 1], recording.strokes, strict=False)
    return [stroke for drawn, strokes in rounds if drawn == frame for stroke in strokes]


def _path(
    random: np.random.Generator,
    recording: RecordedPropagation,
    labels: Sequence[NDArray[np.uint8]],
    size: tuple[int, int],
) -> Path:
    """A view of the whole clip that has an object of the first frame that shows one near its middle."""
    height, width = labels[0].shape
    focus = (width / 2, height / 2)
    for frame_labels in labels:
        ys, xs = np.nonzero(np.isin(frame_labels, recording.numbers))
        if len(ys):
            at = int(random.integers(len(ys)))
            focus = float(xs[at]), float(ys[at])
            break
    return draw_path(random, len(labels), (height, width), size, focus, VIEW, moving=False)


def _warped(
    found: NDArray[np.uint8], path: Path, t: int, source: tuple[int, ...], size: tuple[int, int]
) -> NDArray[np.uint8]:
    """Probabilities [n, h, w] on the grid, in the clip's view [n, H, W]."""
    whole = [cv2.resize(np.asarray(map_), source[1::-1], interpolation=cv2.INTER_LINEAR) for map_ in found]
    return np.stack([warp(map_.view(np.ndarray), path, t, size, labels=False, outside=0) for map_ in whole])


def _moved(stroke: Scribble, path: Path, t: int, source: tuple[int, ...], size: tuple[int, int]) -> Scribble | None:
    """The part of a stroke on frame t of the clip that is in its view."""
    matrix = path.matrices[t]
    points = (stroke.path * (source[1] - 1, source[0] - 1)) @ matrix[:, :2].T + matrix[:, 2]
    points = points / (size[1] - 1, size[0] - 1)
    inside = points[((points >= 0) & (points <= 1)).all(axis=1)]
    return Scribble(stroke.object_id, inside) if len(inside) else None
