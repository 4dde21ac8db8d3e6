"""A synthetic video with the interactions of two rounds, and functions for timing, to measure engines."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.flop_counter import FlopCounterMode

from segmentation.engine import Engine
from segmentation.evaluation.golden.rules import make_labels, make_scribble, make_video
from segmentation.metrics import jaccard
from segmentation.types import Interaction, MaskUpdate, Scribble

HEIGHT, WIDTH = 480, 854
SQUARE = 2048  # side of the square matrices in `matrix_rate`

Clock = Callable[[], float]  # perf_counter, or process_time on a busy machine


@dataclass(frozen=True)
class Measured:
    """Measurements of one engine: seconds per frame by the name of the stage, memory, and agreement of its masks.

    `plain` has the seconds, and `gflop` the operations, of a plain version that computes as the official code does.
    """

    float32: dict[str, float]
    bfloat16: dict[str, float]
    plain: dict[str, float]
    gflop: dict[str, float]  # GFLOP per frame of the plain version
    peak_bytes: int  # peak memory of the float32 engine, without the memory of the process before it
    agreement: float  # mean J of the bfloat16 masks against the float32 masks


class Scene:
    """A synthetic video of `frames` + 1 frames with `objects` ellipses, and the interactions of two rounds."""

    def __init__(self, objects: int, frames: int, seed: int = 1) -> None:
        self.objects = objects
        self.frames = make_video(frames + 1, HEIGHT, WIDTH, seed)
        self.labels = make_labels(frames + 1, HEIGHT, WIDTH, objects)

    @property
    def interactions(self) -> tuple[Interaction, Interaction]:
        return self.interaction(0), self.interaction(len(self.frames) - 1)

    def interaction(self, frame: int) -> Interaction:
        """Return an interaction with a bar through each object and, except on frame 0, a bar on the background."""
        raster = make_scribble(self.labels[frame], self.objects, thickness=1)
        ids = range(0 if frame else 1, self.objects + 1)
        return Interaction(frame, tuple(_bar(raster == i, i) for i in ids))


def _bar(where: NDArray[np.bool_], object_id: int) -> Scribble:
    ys, xs = np.nonzero(where)
    y, scale = ys[0] / (HEIGHT - 1), WIDTH - 1
    return Scribble(object_id, np.array([[xs.min() / scale, y], [xs.max() / scale, y]]))


def timed_rounds(
    session: Engine, scene: Scene, clock: Clock = time.perf_counter
) -> tuple[dict[str, float], list[MaskUpdate]]:
    """Run both rounds. Return, by name, the seconds of the drawn frame and of the fastest other frame of each round,
    and all masks.
    """
    times, masks = {}, []
    for index, interaction in enumerate(scene.interactions, start=1):
        stamps = [clock()]
        for update in session.run_round(interaction):
            stamps.append(clock())
            masks.append(update)
        spans = np.diff(stamps)
        times[f"round {index}, its own frame"] = float(spans[0])
        if len(spans) > 1:
            times[f"round {index}, a frame"] = float(spans[1:].min())
    return times, masks


def matrix_rate(dtype: torch.dtype = torch.float32, clock: Clock = time.perf_counter) -> float:
    """Return the measured speed of a product of two large square matrices in FLOP/s."""
    a = torch.randn(SQUARE, SQUARE).to(dtype)
    return 2 * SQUARE**3 / seconds(lambda: a @ a, 5, clock)


def seconds(work: Callable[[], Any], times: int = 1, clock: Clock = time.perf_counter) -> float:
    """Call `work` `times` times and return the seconds of the fastest call."""
    best = float("inf")
    for _ in range(times):
        start = clock()
        work()
        best = min(best, clock() - start)
    return best


def gflop(work: Callable[[], Any]) -> float:
    with FlopCounterMode(display=False) as counter:
        work()
    return float(counter.get_total_flops()) / 1e9


def agreement(masks: Sequence[MaskUpdate], others: Sequence[MaskUpdate], objects: int) -> float:
    """Return the mean J between the masks of two runs of the same rounds."""
    return float(np.mean([jaccard(a.labels, b.labels, objects) for a, b in zip(masks, others, strict=True)]))
