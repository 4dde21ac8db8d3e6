"""How fast STM, interactive STM and IPN are at the paper's size, beside a plain version of the same computation.

`python -m ...measure_engines.stm_and_ipn [--engine stm] [--threads 2] [--frames 3] [--objects 1] [--weights FOLDER]`
prints for rounds 1 and 2 the seconds a frame, how many times faster that is than the plain version in the same run, the
bound by arithmetic (the plain version's GFLOP over this machine's measured matrix rate), the peak memory, and how far
masks of float32 and bfloat16 agree (J).

The plain version computes as the official programs do: every object and every round encodes the frame again.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from torch import nn

from segmentation.checkpoints import load_network
from segmentation.engine import EngineSettings
from segmentation.engines.ipn.network import Inet, Pnet
from segmentation.engines.stm.network import STRIDE, SpaceTimeMemory
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
from segmentation.evaluation.paper_weights import GAINS, paper_weights
from segmentation.frames import ArrayFrames
from segmentation.metrics import jaccard
from segmentation.networks.padding import pad, padding_to
from segmentation.registry import create_engine_session
from segmentation.types import MaskUpdate

ENGINES = ("stm", "stm-semi", "ipn")
Stages = dict[str, Callable[[], Any]]


def plain_stages(engine: str, scene: Scene, weights: str) -> Stages:
    """What the official program computes for a frame, by the names that `timed_rounds` gives."""
    networks = [load_network(name, weights) for name in GAINS[engine]]
    return _plain_ipn(scene, networks) if engine == "ipn" else _plain_stm(engine, scene, networks[0])


def _plain_stm(engine: str, scene: Scene, network: nn.Module) -> Stages:
    assert isinstance(network, SpaceTimeMemory)
    padding = padding_to(STRIDE, HEIGHT, WIDTH)
    frame = pad(torch.from_numpy(scene.frames[:1]).permute(0, 3, 1, 2).float() / 255, padding)
    channels = 2 if engine == "stm-semi" else 3
    cues = torch.zeros(1, channels, *frame.shape[-2:])
    cues[0, 0] = pad(torch.from_numpy(scene.labels[0] == 1).float(), padding)
    (slot,) = network.memorize(frame, cues)

    def frame_of(memory: int) -> Callable[[], Any]:
        def work() -> None:
            for _ in range(scene.objects):
                if engine == "stm-semi":
                    network.memorize(frame, cues)
                network.segment([[slot] * memory], network.encode_query(frame))

        return work

    return {"round 1, a frame": frame_of(1 + (engine == "stm-semi")), "round 2, a frame": frame_of(2)}


def _plain_ipn(scene: Scene, networks: Sequence[nn.Module]) -> Stages:
    inet, pnet = networks
    assert isinstance(inet, Inet)
    assert isinstance(pnet, Pnet)
    frame = torch.from_numpy(scene.frames[:1]).permute(0, 3, 1, 2).float() / 255
    masks = [torch.from_numpy(scene.labels[:1] == i).float() for i in range(1, scene.objects + 1)]
    nothing = torch.zeros_like(masks[0])
    reference = inet(frame, nothing, masks[0], nothing).reference

    def interact() -> None:
        for mask in masks:
            inet(frame, nothing, mask, nothing)

    def propagate() -> None:
        for mask in masks:
            pnet(frame, pnet.aggregate(reference, reference), nothing, mask)

    return {
        f"round {i}, {what}": work
        for i in (1, 2)
        for what, work in (("its own frame", interact), ("a frame", propagate))
    }


def run_engine(
    engine: str, scene: Scene, weights: str, precision: str, clock: Clock
) -> tuple[dict[str, float], list[MaskUpdate]]:
    settings = EngineSettings(device="cpu", weights=weights)
    session = create_engine_session(engine, ArrayFrames(scene.frames), scene.objects, settings, precision=precision)
    result = timed_rounds(session, scene, clock)
    session.close()
    return result


def compare(engine: str, weights: str, objects: int, frames: int, clock: Clock, peak: PeakMemory) -> dict[str, float]:
    """Print the table of one engine and number of objects; the float32 engine's seconds."""
    scene, rate = Scene(objects, frames), matrix_rate(clock=clock)
    peak.bytes = 0
    peak.start()
    exact, masks = run_engine(engine, scene, weights, "float32", clock)
    peak.stop()
    stages = plain_stages(engine, scene, weights)
    plain = {name: seconds(work, 2, clock) for name, work in stages.items()}
    flops = {name: gflop(work) for name, work in stages.items()}
    half, half_masks = run_engine(engine, scene, weights, "bfloat16", clock)
    print(f"\n{engine}, {objects} object(s), {HEIGHT}x{WIDTH}: seconds a frame")
    print(f"{'':<24}{'plain':>8}{'float32':>9}{'times':>7}{'bfloat16':>10}{'times':>7}{'bound':>8}")
    for name, spent in exact.items():
        print(_row(name, spent, half[name], plain.get(name), flops.get(name), rate))
    agreement = float(np.mean([jaccard(a.labels, b.labels, objects) for a, b in zip(masks, half_masks, strict=True)]))
    print(f"peak memory of the float32 engine {peak.bytes / 2**30:.2f} GiB; J of bfloat16 masks {agreement:.3f}")
    return exact


def _row(name: str, spent: float, half: float, plain: float | None, flops: float | None, rate: float) -> str:
    if plain is None or flops is None:
        return f"{name:<24}{'':>8}{spent:>9.3f}{'':>7}{half:>10.3f}"
    faster = f"{plain / spent:>6.1f}x{half:>10.3f}{plain / half:>6.1f}x"
    return f"{name:<24}{plain:>8.2f}{spent:>9.3f}{faster}{flops * 1e9 / rate:>8.3f}"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m segmentation.evaluation.measure_engines.stm_and_ipn", description=__doc__
    )
    parser.add_argument("--engine", choices=ENGINES, action="append", help="default: all")
    parser.add_argument("--threads", type=int, help="of torch; default: as many as it takes by itself")
    parser.add_argument("--frames", type=int, default=3, help="other frames of a round, of which the fastest counts")
    parser.add_argument("--objects", type=int, action="append", help="default: 1 and 3")
    parser.add_argument("--weights", help="a folder; default: random ones, whose masks tell nothing about agreement")
    parser.add_argument("--cpu-time", action="store_true", help="CPU seconds of all threads, for a busy machine")
    options = parser.parse_args(arguments)
    if options.threads:
        torch.set_num_threads(options.threads)
    peak = PeakMemory()  # above what the process holds now; what the engine before left behind counts too
    clock = time.process_time if options.cpu_time else time.perf_counter
    with torch.inference_mode():
        rates = [f"{matrix_rate(dtype, clock) / 1e9:.0f} in {dtype}" for dtype in (torch.float32, torch.bfloat16)]
        print(f"matrix rate, GFLOP/s: {', '.join(rates)}")
        if not options.weights:
            print("weights are random: J between number formats tells nothing, masks are noise at an argmax's edge")
        for engine in options.engine or ENGINES:
            with TemporaryDirectory() as folder:
                weights = options.weights or paper_weights(engine, Path(folder))
                found = {n: compare(engine, weights, n, options.frames, clock, peak) for n in options.objects or (1, 3)}
            if {1, 3} <= found.keys():
                ratios = (f"{name} {found[3][name] / found[1][name]:.2f}" for name in found[1])
                print(f"three objects over one: {', '.join(ratios)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
