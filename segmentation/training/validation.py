"""Validates an engine on held-out videos with the automatic scribbles of `segmentation.evaluation.stroke`."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from segmentation.engine import Engine
from segmentation.evaluation.stroke import correcting_stroke, first_strokes
from segmentation.frames import ArrayFrames
from segmentation.metrics import Score, object_ids, score
from segmentation.training.sources import LabelledVideo
from segmentation.types import IGNORE, FrameSource, Interaction

ROUNDS = 3
FRAMES, STEP = 24, 2  # number of frames per video, and the distance between them
SHORT_SIDE = 288
Open = Callable[[FrameSource, int], Engine]  # opens the engine for frames and a number of objects


def validate(opened: Open, videos: tuple[LabelledVideo, ...]) -> dict[str, float]:
    """Run rounds with automatic scribbles on `videos`, with the engine that `opened` opens.

    Return J&F after each round, averaged over the videos, as "round_1" and so on, and their mean as "score".
    """
    curves = np.array([_curve(opened, video) for video in _shown(videos)])  # [videos, rounds]
    means = curves.mean(axis=0)
    figures = {f"round_{number}": float(value) for number, value in enumerate(means, start=1)}
    return {"score": float(means.mean()), **figures}


def validate_given(opened: Open, videos: tuple[LabelledVideo, ...]) -> dict[str, float]:
    """Return J&F after propagating the true mask of a frame, averaged over `videos`, as "round_1" and as "score"."""
    mean = float(np.mean([_given(opened, video) for video in _shown(videos)]))
    return {"score": mean, "round_1": mean}


def _shown(videos: tuple[LabelledVideo, ...]) -> Iterable[LabelledVideo]:
    """Return an iterator over `videos` that shows on standard error how many are done, since each may take a minute."""
    return tqdm(videos, desc="validating", unit="video", dynamic_ncols=True)


def _given(opened: Open, video: LabelledVideo) -> float:
    frames, truth = _load(video)
    num_objects, start = int(truth.max()), _fullest(truth)
    session = opened(ArrayFrames(frames), num_objects)
    session.lock(start, truth[start])
    masks = np.zeros_like(truth)
    masks[start] = truth[start]
    for update in session.run_round(Interaction(start, first_strokes(truth[start], num_objects))):
        masks[update.frame] = update.labels
    session.close()
    result: Score = score(truth, masks, num_objects)
    return result.mean_j_and_f


def _curve(opened: Open, video: LabelledVideo) -> list[float]:
    frames, truth = _load(video)
    num_objects = int(truth.max())
    session = opened(ArrayFrames(frames), num_objects)
    masks = np.zeros_like(truth)
    start = _fullest(truth)
    interaction = Interaction(start, first_strokes(truth[start], num_objects))
    curve: list[float] = []
    for _ in range(ROUNDS):
        for update in session.run_round(interaction):
            masks[update.frame] = update.labels
        result: Score = score(truth, masks, num_objects)
        curve.append(result.mean_j_and_f)
        worst = int(result.j_and_f.mean(axis=1).argmin())
        stroke = correcting_stroke(truth[worst], masks[worst])
        if stroke is None:  # nothing is wrong any more
            break
        interaction = Interaction(worst, (stroke,))
    session.close()
    return [*curve, *[curve[-1]] * (ROUNDS - len(curve))]


def _fullest(truth: NDArray[np.uint8]) -> int:
    """Return the index of the frame in which the objects cover the most pixels."""
    return int((truth > 0).sum(axis=(1, 2)).argmax())


def _load(video: LabelledVideo) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    step = STEP if len(video) >= STEP * FRAMES else 1
    loaded = [video.load(i, SHORT_SIDE) for i in range(0, len(video), step)[:FRAMES]]
    truth = np.stack([labels for _, labels in loaded])
    ids = object_ids(truth)
    table = np.zeros(IGNORE + 1, np.uint8)  # ids with gaps become 1..N, and ignored pixels become background
    table[list(ids)] = np.arange(1, len(ids) + 1)
    return np.stack([frame for frame, _ in loaded]), table[truth]
