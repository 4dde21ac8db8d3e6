"""Measures seconds per frame and peak memory of the published systems at the papers' size, 480x854.

For rounds 1 and 2 it prints the seconds per frame of a plain version, which computes as the official code does; those
of the engine in float32 and in bfloat16, with the speed-up; and the lower limit that arithmetic sets (the plain
version's GFLOP divided by the speed of matrix products on this machine). Then it prints the peak memory, and the J
between the masks in float32 and bfloat16. Of several engines, each runs in a separate process, so that its peak memory
can be measured.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from segmentation import registry
from segmentation.evaluation.measure_engines.scene import HEIGHT, WIDTH, Clock, Measured, Scene, matrix_rate
from segmentation.evaluation.paper_weights import paper_weights

# The dotted path of the function that measures an engine, by the engine's name.
ENGINES = {name: spec.programs.measure for name, spec in registry.ENGINES.items() if spec.programs.measure}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--engine", choices=list(ENGINES), action="append", help="may be repeated; default: all")
    parser.add_argument("--threads", type=int, help="threads of PyTorch; default: its own choice")
    parser.add_argument(
        "--frames", type=int, default=3, help="other frames of a round, of which the fastest counts (3)"
    )
    parser.add_argument("--objects", type=int, action="append", help="may be repeated; default: 1 and 3")
    parser.add_argument("--weights", help="file or folder of trained weights; default: random weights")
    parser.add_argument("--cpu-time", action="store_true", help="CPU seconds of all threads, for a busy machine")


def run(options: argparse.Namespace) -> int:
    engines = options.engine or list(ENGINES)
    if len(engines) > 1:
        return max(_in_a_process(engine, options) for engine in engines)
    if options.threads:
        torch.set_num_threads(options.threads)
    clock = time.process_time if options.cpu_time else time.perf_counter
    with TemporaryDirectory() as folder, torch.inference_mode():
        rates = [f"{matrix_rate(dtype, clock) / 1e9:.0f} in {dtype}" for dtype in (torch.float32, torch.bfloat16)]
        print(f"matrix rate, GFLOP/s: {', '.join(rates)}")
        if not options.weights:
            print("the weights are random: their masks are noise, so the J between number formats means nothing")
        weights = options.weights or paper_weights(engines[0], Path(folder))
        _measure(engines[0], weights, options.objects or (1, 3), options.frames, clock)
    return 0


def _in_a_process(engine: str, options: argparse.Namespace) -> int:
    """Measure one engine in a child process and return its exit status."""
    command = [sys.executable, "-m", "segmentation.evaluation.measure_engines", "papers", "--engine", engine]
    command += ["--frames", str(options.frames)]
    command += [word for count in options.objects or () for word in ("--objects", str(count))]
    command += ["--threads", str(options.threads)] if options.threads else []
    command += ["--weights", options.weights] if options.weights else []
    command += ["--cpu-time"] if options.cpu_time else []
    print(f"--- {engine} ---", flush=True)
    return subprocess.run(command, check=False).returncode


def _measure(engine: str, weights: str, counts: tuple[int, ...], frames: int, clock: Clock) -> None:
    """Measure an engine with each number of objects in `counts` and print a table for each.

    Also print how much more time three objects take than one object.
    """
    found = {}
    measure = registry.load(ENGINES[engine])
    for objects in counts:
        rate = matrix_rate(clock=clock)
        measured: Measured = measure(engine, Scene(objects, frames), weights, clock)
        print(f"\n{engine}, {objects} object(s), {HEIGHT}x{WIDTH}: seconds a frame")
        print(table(measured, rate))
        found[objects] = measured.float32
    if {1, 3} <= found.keys():
        ratios = (f"{name} {found[3][name] / found[1][name]:.2f}" for name in found[1])
        print(f"three objects over one: {', '.join(ratios)}")


def table(measured: Measured, rate: float) -> str:
    """Return measurements as text: a row for each stage, then memory and agreement.

    `rate` is the speed of matrix products on this machine in FLOP/s.
    """
    rows = [f"{'':<24}{'plain':>8}{'float32':>9}{'times':>7}{'bfloat16':>10}{'times':>7}{'bound':>8}"]
    for name, spent in measured.float32.items():
        half, plain, gflop = measured.bfloat16[name], measured.plain.get(name), measured.gflop.get(name)
        if plain is None or gflop is None:
            rows.append(f"{name:<24}{'':>8}{spent:>9.3f}{'':>7}{half:>10.3f}")
        else:
            faster = f"{plain / spent:>6.1f}x{half:>10.3f}{plain / half:>6.1f}x"
            rows.append(f"{name:<24}{plain:>8.2f}{spent:>9.3f}{faster}{gflop * 1e9 / rate:>8.3f}")
    memory = f"peak memory of the float32 engine {measured.peak_bytes / 2**30:.2f} GiB"
    return "\n".join([*rows, f"{memory}; J of bfloat16 masks {measured.agreement:.3f}"])
