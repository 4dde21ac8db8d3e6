"""Validation: the engine itself, on held-out videos, with the automatic strokes of the quick program."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from segmentation.engine import Engine
from segmentation.evaluation.stroke import correcting_stroke, first_strokes
from segmentation.frames import ArrayFrames
from segmentation.metrics import Score, score
from segmentation.training.sources import IGNORE, Shot
from segmentation.types import FrameSource, Interaction

ROUNDS = 3
FRAMES = 16  # of each video, evenly spaced: a validation must not take long
SHORT_SIDE = 288
Open = Callable[[FrameSource, int], Engine]  # opens the engine on frames with that many objects


def validate(opened: Open, shots: tuple[Shot, ...]) -> dict[str, float]:
    """J&F after every round, mean over `shots`: {"round_1", ..., "score"}; "score" is the mean of all rounds."""
    curves = np.array([_curve(opened, shot) for shot in shots])  # [videos, rounds]
    means = curves.mean(axis=0)
    figures = {f"round_{number}": float(value) for number, value in enumerate(means, start=1)}
    return {"score": float(means.mean()), **figures}


def _curve(opened: Open, shot: Shot) -> list[float]:
    frames, truth = _load(shot)
    num_objects = int(truth.max())
    session = opened(ArrayFrames(frames), num_objects)
    masks = np.zeros_like(truth)
    start = int((truth > 0).sum(axis=(1, 2)).argmax())
    interaction = Interaction(start, first_strokes(truth[start], num_objects))
    curve: list[float] = []
    for _ in range(ROUNDS):
        for update in session.run_round(interaction):
            masks[update.frame] = update.labels
        result: Score = score(truth, masks, num_objects)
        curve.append(result.mean_j_and_f)
        worst = int(result.j_and_f.mean(axis=1).argmin())
        stroke = correcting_stroke(truth[worst], masks[worst])
        if stroke is None:  # nothing is wrong anywhere
            break
        interaction = Interaction(worst, (stroke,))
    session.close()
    return [*curve, *[curve[-1]] * (ROUNDS - len(curve))]


def _load(shot: Shot) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    chosen = np.unique(np.linspace(0, len(shot) - 1, FRAMES).round().astype(int))
    loaded = [shot.load(int(i), SHORT_SIDE) for i in chosen]
    truth = np.stack([labels for _, labels in loaded])
    return np.stack([frame for frame, _ in loaded]), np.where(truth == IGNORE, 0, truth).astype(np.uint8)
