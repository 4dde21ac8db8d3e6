"""Measures seconds per frame and peak memory of an engine over a long video, in two rounds.

The frames are computed when they are read: 480x854, a disc in front of a panning texture. Features that do not fit into
the memory budget are written to a temporary folder, as in the web application's workers. Peak memory is that of the
whole process. With --paper the networks have the papers' sizes and random weights, so the masks (J) mean nothing.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from segmentation.engine import Engine, EngineSettings
from segmentation.evaluation.measure_engines.scene import HEIGHT, WIDTH
from segmentation.evaluation.memory import peak_of_process
from segmentation.evaluation.paper_weights import paper_weights
from segmentation.registry import create_engine_session
from segmentation.types import Interaction, Scribble

RADIUS = HEIGHT // 6


class LongVideo:
    """A `FrameSource` of any length that computes each frame when it is read and holds only one texture."""

    height, width = HEIGHT, WIDTH

    def __init__(self, frames: int) -> None:
        random = np.random.default_rng(0)
        self._length = frames
        coarse = random.integers(0, 256, (HEIGHT // 8, WIDTH // 8, 3)).astype(np.uint8)
        self._texture = np.asarray(cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC), np.uint8)

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int) -> NDArray[np.uint8]:
        frame = np.roll(self._texture, 2 * index % WIDTH, axis=1)
        cv2.circle(frame, self.middle(index), RADIUS, (200, 60, 40), cv2.FILLED)
        return frame

    @staticmethod
    def middle(index: int) -> tuple[int, int]:
        """Return the centre (x, y) of the disc in frame `index`, in pixels."""
        return round(WIDTH / 2 + WIDTH / 4 * np.sin(index / 40)), round(HEIGHT / 2 + HEIGHT / 6 * np.sin(index / 23))

    def stroke(self, index: int) -> Interaction:
        x, y = self.middle(index)
        path = np.array([[x - RADIUS / 2, y], [x + RADIUS / 2, y]]) / (WIDTH - 1, HEIGHT - 1)
        return Interaction(index, (Scribble(1, path),))

    def disc(self, index: int) -> NDArray[np.bool_]:
        """Return the ground truth of frame `index`, bool [HEIGHT, WIDTH]: the pixels of the moving disc."""
        x, y = self.middle(index)
        rows, columns = np.ogrid[:HEIGHT, :WIDTH]
        inside: NDArray[np.bool_] = (columns - x) ** 2 + (rows - y) ** 2 <= RADIUS**2
        return inside


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--engine", required=True)
    parser.add_argument("--frames", type=int, default=2000, help="length of the video (2000)")
    parser.add_argument("--memory-mb", type=int, default=1024, help="budget of everything that is cached (1024)")
    parser.add_argument("--threads", type=int, default=1, help="threads of PyTorch and OpenCV (1)")
    parser.add_argument("--paper", action="store_true", help="networks of the papers' sizes with random weights")
    parser.add_argument("--precision", default="auto", help="auto, float32, bfloat16 or float16")


def run(args: argparse.Namespace) -> int:
    torch.set_num_threads(args.threads)
    cv2.setNumThreads(args.threads)
    video = LongVideo(args.frames)
    with TemporaryDirectory() as folder:
        weights = paper_weights(args.engine, Path(folder)) if args.paper else None
        settings = EngineSettings(device="cpu", weights=weights, memory_bytes=args.memory_mb << 20, cache_dir=folder)
        options = {} if args.precision == "auto" else {"precision": args.precision}
        session = create_engine_session(args.engine, video, 1, settings, **options)
        for number, frame in enumerate((args.frames // 2, args.frames // 4), start=1):
            _round(f"{args.engine}, round {number}", session, video, frame)
        session.close()
    return 0


def _round(title: str, session: Engine, video: LongVideo, frame: int) -> None:
    """Run one round that is drawn on `frame`, and print a line of measurements after each quarter of the video."""
    overlaps: list[float] = []
    started, told = time.perf_counter(), 0

    def tell() -> None:
        took = (time.perf_counter() - started) / len(overlaps)
        print(
            f"{title}: {len(overlaps)} frames, {took:.3f} s a frame, J {np.mean(overlaps):.3f}, "
            f"peak memory {peak_of_process() / 2**30:.2f} GiB",
            flush=True,
        )

    for update in session.run_round(video.stroke(frame)):
        found, truth = update.labels == 1, video.disc(update.frame)
        overlaps.append(float((found & truth).sum() / (found | truth).sum()))
        if len(overlaps) >= told + len(video) / 4:
            told = len(overlaps)
            tell()
    if len(overlaps) > told:
        tell()
