"""Compares the speed of this project's J and F with that of the package davisinteractive, measuring them in turns."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from segmentation.evaluation.package import davisinteractive
from segmentation.metrics import score

FRAMES, HEIGHT, WIDTH, OBJECTS, RUNS = 10, 480, 854, 3, 7


def blobs(seed: int) -> NDArray[np.uint8]:
    """Return masks [T, H, W] with objects of irregular outline, as large as typical DAVIS objects."""
    random = np.random.default_rng(seed)
    labels = np.zeros((FRAMES, HEIGHT, WIDTH), np.uint8)
    for frame in labels:
        for number in range(1, OBJECTS + 1):
            noise = cv2.GaussianBlur(random.standard_normal((HEIGHT, WIDTH)), (0, 0), 12)
            yy, xx = np.mgrid[:HEIGHT, :WIDTH]
            inside = ((yy - 240) / 110) ** 2 + ((xx - 210 * number) / 90) ** 2 + 8 * noise < 1
            frame[inside] = number
    return labels


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add no arguments, because this measurement has no options."""


def run(_: argparse.Namespace) -> int:
    truth, predicted = blobs(0), blobs(1)
    package = davisinteractive().metrics
    same = {"average_over_objects": False, "nb_objects": OBJECTS}

    def theirs() -> object:
        return package.batched_jaccard(truth, predicted, **same), package.batched_f_measure(truth, predicted, **same)

    def ours() -> object:
        return score(truth, predicted, OBJECTS)

    pairs = [(seconds(theirs), seconds(ours)) for _ in range(RUNS)]
    ratio = np.median([t / o for t, o in pairs])
    print(f"{FRAMES} frames of {HEIGHT}x{WIDTH}, {OBJECTS} objects, median of {RUNS}")
    print(f"davisinteractive {np.median([t for t, _ in pairs]):.3f} s, ours {np.median([o for _, o in pairs]):.3f} s")
    print(f"ratio {ratio:.1f}")
    return 0
