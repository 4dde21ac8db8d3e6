"""How fast ST-RNN is at the paper's size.

`python -m ...measure_engines.strnn [--threads 2] [--frames 3] [--objects 1] [--weights FILE]` prints seconds
a frame for features and RNN (once a video) and for rounds 1 and 2 after that, the bound by arithmetic (GFLOP over
this machine's measured matrix rate), the peak memory, and how far masks of float32 and bfloat16 agree (J). There is
no official code to compare with; beside the features stands the plain network, its batch norms apart.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from segmentation.checkpoints import load_network
from segmentation.engine import EngineSettings
from segmentation.engines.strnn.engine import STRNNEngine
from segmentation.engines.strnn.network import STRNN, to_input
from segmentation.evaluation.measure_engines.scene import (
    HEIGHT,
    WIDTH,
    Clock,
    Scene,
    gflop,
    matrix_rate,
    seconds,
    timed_rounds,
)
from segmentation.evaluation.memory import PeakMemory
from segmentation.evaluation.paper_weights import paper_weights
from segmentation.frames import ArrayFrames
from segmentation.metrics import jaccard
from segmentation.types import MaskUpdate

FEATURES = "features and RNN"


def run_engine(
    scene: Scene, weights: str, precision: str, clock: Clock
) -> tuple[dict[str, float], list[MaskUpdate], PeakMemory]:
    """Seconds a frame of every stage, the masks of both rounds, and the peak memory."""
    peak = PeakMemory()
    peak.start()
    settings = EngineSettings(device="cpu", weights=weights)
    session = STRNNEngine(ArrayFrames(scene.frames), scene.objects, settings, precision=precision)
    spent = [seconds(partial(session._outputs.get, t), clock=clock) for t in range(len(scene.frames))]
    times, masks = timed_rounds(session, scene, clock)
    peak.stop()
    session.close()
    return {FEATURES: min(spent)} | times, masks, peak


def run_plain(scene: Scene, weights: str, clock: Clock) -> tuple[float, float]:
    """Seconds and GFLOP of features and RNN of a frame, with the network as it is trained."""
    network = load_network("strnn", weights)
    assert isinstance(network, STRNN)
    image = to_input(torch.from_numpy(scene.frames[:1]).permute(0, 3, 1, 2))
    _, states = network(image, [None] * len(network.branches))
    return seconds(lambda: network(image, states), 2, clock), gflop(lambda: network(image, states))


def compare(weights: str, objects: int, frames: int, clock: Clock) -> dict[str, float]:
    """Print the table for a number of objects; the float32 engine's seconds."""
    scene, rate = Scene(objects, frames), matrix_rate(clock=clock)
    exact, masks, peak = run_engine(scene, weights, "float32", clock)
    half, half_masks, _ = run_engine(scene, weights, "bfloat16", clock)
    plain, flops = run_plain(scene, weights, clock)
    print(f"\nstrnn, {objects} object(s), {HEIGHT}x{WIDTH}: seconds a frame")
    print(f"{'':<24}{'plain':>8}{'float32':>9}{'times':>7}{'bfloat16':>10}{'times':>7}{'bound':>8}")
    for name, spent in exact.items():
        if name == FEATURES:
            faster = f"{plain / spent:>6.1f}x{half[name]:>10.3f}{plain / half[name]:>6.1f}x"
            print(f"{name:<24}{plain:>8.2f}{spent:>9.3f}{faster}{flops * 1e9 / rate:>8.3f}")
        else:
            print(f"{name:<24}{'':>8}{spent:>9.3f}{'':>7}{half[name]:>10.3f}")
    agreement = np.mean([jaccard(a.labels, b.labels, objects) for a, b in zip(masks, half_masks, strict=True)])
    print(f"peak memory of the float32 engine {peak.bytes / 2**30:.2f} GiB; J of bfloat16 masks {agreement:.3f}")
    return exact


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m segmentation.evaluation.measure_engines.strnn", description=__doc__
    )
    parser.add_argument("--threads", type=int, help="of torch; default: as many as it takes by itself")
    parser.add_argument("--frames", type=int, default=3, help="other frames of a round, of which the fastest counts")
    parser.add_argument("--objects", type=int, action="append", help="default: 1 and 3")
    parser.add_argument("--weights", help="default: random ones, whose masks tell nothing about agreement")
    parser.add_argument("--cpu-time", action="store_true", help="CPU seconds of all threads, for a busy machine")
    options = parser.parse_args(arguments)
    if options.threads:
        torch.set_num_threads(options.threads)
    clock = time.process_time if options.cpu_time else time.perf_counter
    with TemporaryDirectory() as folder, torch.inference_mode():
        weights = options.weights or paper_weights("strnn", Path(folder))
        found = {n: compare(weights, n, options.frames, clock) for n in options.objects or (1, 3)}
        if {1, 3} <= found.keys():
            ratios = (f"{name} {found[3][name] / found[1][name]:.2f}" for name in found[1])
            print(f"three objects over one: {', '.join(ratios)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
