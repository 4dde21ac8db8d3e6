"""Makes training clips from recorded propagations: pairs of video frames with the probability maps of an engine.

A recording (see `recorded_propagations`) stores the probability maps that an engine computed for frames of a video.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path as File

import cv2
import numpy as np
from numpy.typing import NDArray

from segmentation.training.clips import Clip
from segmentation.training.motion import Path, Range, draw_path, light, warp
from segmentation.training.recorded_propagations import RecordedPropagation, load, renumbered
from segmentation.training.sources import LabelledVideo
from segmentation.types import IGNORE

VIEW = Range(turn=8.0, zoom=1.25, shear=0.06)  # small random warps, so that errors in recorded maps keep their shape


class RecordedClips:
    """Draws random clips from the recordings in `folder`: the maps that an engine computed for frames of `videos`.

    Raises ValueError if there are no recordings, or if the video of a recording is not in `videos`.
    """

    def __init__(self, folder: File, videos: Sequence[LabelledVideo]) -> None:
        self.videos = {video.name: video for video in videos}
        self.recordings = [load(path) for path in sorted(folder.glob("*.json"))]
        if not self.recordings:
            raise ValueError(
                f"{folder} holds no recordings: python -m segmentation.training.recorded_propagations makes some"
            )
        missing = {recording.video for recording in self.recordings} - set(self.videos)
        if missing:
            raise ValueError(
                f"{folder}: recordings through {', '.join(sorted(missing))}, which are not among the videos"
            )

    def draw_pair(self, random: np.random.Generator, size: tuple[int, int]) -> tuple[Clip, NDArray[np.uint8]]:
        """Draw a clip of two neighbouring frames of a random recording.

        The clip's first frame is, of two random frames, that in which the recorded maps agree less with the ground
        truth, because people correct frames with large errors.

        Returns:
            the clip with its ground truth, and the recorded probability maps of the first frame, uint8 [n, H, W], in
            which 255 is probability 1.
        """
        recording = self.recordings[int(random.integers(len(self.recordings)))]
        round_ = int(random.integers(len(recording.drawn)))
        worst = min(
            random.integers(len(recording.frames), size=2).tolist(), key=lambda i: self._overlap(recording, round_, i)
        )
        beside = worst + 1 if worst + 1 < len(recording.frames) else worst - 1
        clip, guess = self._view(random, recording, round_, [worst, beside], size)
        return clip, guess[0]

    def _overlap(self, recording: RecordedPropagation, round_: int, i: int) -> float:
        """Return the soft J of the recorded maps of frame `i` after a round; all objects count as one object."""
        found = recording.probability[round_, i].max(axis=0) / 255
        _, labels = self.videos[recording.video].load(recording.frames[i], min(found.shape))
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
    ) -> tuple[Clip, NDArray[np.uint8]]:
        """Return the frames `chosen` of a recording as a clip of the size `size`, and their recorded probability maps.

        Frames, ground truth and maps are warped in the same random way. The maps are uint8 [T, n, H, W].
        """
        video = self.videos[recording.video]
        loaded = [video.load(recording.frames[i], round(1.2 * size[0])) for i in chosen]
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
        return clip, guess


def _path(
    random: np.random.Generator,
    recording: RecordedPropagation,
    labels: Sequence[NDArray[np.uint8]],
    size: tuple[int, int],
) -> Path:
    """Choose at random how the cropped region moves and deforms over the clip.

    In the first frame that shows an object, the region contains at least one pixel of it.
    """
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
    """Resize recorded probability maps [n, h, w] to the frame's size `source`, and warp them as frame `t` of `path`.

    Returns maps of the clip's size, [n, H, W].
    """
    whole = [cv2.resize(np.asarray(map_), source[1::-1], interpolation=cv2.INTER_LINEAR) for map_ in found]
    return np.stack([warp(map_.view(np.ndarray), path, t, size, labels=False, outside=0) for map_ in whole])
