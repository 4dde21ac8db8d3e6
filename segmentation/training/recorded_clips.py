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

VIEW = Range(turn=8.0, zoom=1.25, shear=0.06)  # small changes of the view, so that recorded errors keep their shape


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
        """Draw a clip of `frames` frames of `size` (height, width) with the maps recorded after a random round.

        The first two frames were annotated by then. After the first round they are the same frame.
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
        """Draw two neighbouring frames and the maps recorded in the first, uint8 [n, H, W], 255 = 1.

        The first frame is the worse of two random frames, since people correct frames with large errors.
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
        """Return the soft J of all objects together in a frame of a recording."""
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
        """Return frames of a recording in a random view, their recorded maps, and a function that moves scribbles
        there.
        """
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
    """Return all scribbles on a frame up to a round."""
    rounds = zip(recording.drawn[: round_ + 1], recording.strokes, strict=False)
    return [stroke for drawn, strokes in rounds if drawn == frame for stroke in strokes]


def _path(
    random: np.random.Generator,
    recording: RecordedPropagation,
    labels: Sequence[NDArray[np.uint8]],
    size: tuple[int, int],
) -> Path:
    """Draw a view of the clip with an object near its middle, in the first frame that shows one."""
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
    """Warp probability maps [n, h, w] on the grid into the view of the clip [n, H, W]."""
    whole = [cv2.resize(np.asarray(map_), source[1::-1], interpolation=cv2.INTER_LINEAR) for map_ in found]
    return np.stack([warp(map_.view(np.ndarray), path, t, size, labels=False, outside=0) for map_ in whole])


def _moved(stroke: Scribble, path: Path, t: int, source: tuple[int, ...], size: tuple[int, int]) -> Scribble | None:
    """Move a scribble into the view of frame t, and return the part inside the view, or None."""
    matrix = path.matrices[t]
    points = (stroke.path * (source[1] - 1, source[0] - 1)) @ matrix[:, :2].T + matrix[:, 2]
    points = points / (size[1] - 1, size[0] - 1)
    inside = points[((points >= 0) & (points <= 1)).all(axis=1)]
    return Scribble(stroke.object_id, inside) if len(inside) else None
