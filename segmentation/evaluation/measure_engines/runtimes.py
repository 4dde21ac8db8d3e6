"""Compares PyTorch with OpenVINO on this CPU, in float32 and bfloat16.

Prints, for each part of the shipped networks (or, with --paper, for encoders of the papers' sizes with random
weights), the CPU seconds of a run and the largest difference from PyTorch's float32 relative to its largest value. With
--davis-root also the CPU seconds per frame of the engines with and without OpenVINO, and how far their masks agree (J).
"""

from __future__ import annotations

import argparse
import copy
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from segmentation import registry
from segmentation.evaluation.davis_folder import DavisFolder, load_sequence
from segmentation.evaluation.davis_folder import Sequence as Clip
from segmentation.evaluation.measure_engines.parts import TRUNK_FRAME, Applied, Part
from segmentation.evaluation.measure_engines.scene import seconds
from segmentation.evaluation.stroke import first_strokes
from segmentation.metrics import jaccard
from segmentation.registry import create_engine_session
from segmentation.runtime.openvino import compiled, openvino
from segmentation.trunk.weights import load_network as load_trunk_network
from segmentation.types import Interaction

RUNS = 7
ENGINES = [name for name, spec in registry.ENGINES.items() if spec.networks]
# Options of engines that switch OpenVINO off. Other engines do not use OpenVINO if they get an option `precision`.
PYTORCH: dict[str, dict[str, Any]] = {"star": {"openvino": False}}
WAYS = ("torch float32", "torch bfloat16", "openvino f32", "openvino bf16")


def shipped_parts() -> list[Part]:
    """Return the parts of the shipped networks that take most of the time of a round."""
    trunk = Applied(load_trunk_network("lite0"), lambda m, x: m(x))
    paths = [spec.programs.shipped_parts for spec in registry.ENGINES.values()]
    return [("trunk", trunk, torch.rand(1, 3, *TRUNK_FRAME)), *_parts(paths)]


def paper_parts() -> list[Part]:
    """Return the networks to be timed with --paper: encoders of the published systems at the papers' sizes, with 480p
    input.
    """
    return _parts([spec.programs.paper_parts for spec in registry.ENGINES.values()])


def _parts(paths: list[str]) -> list[Part]:
    return [part for path in paths if path for part in registry.load(path)()]


@torch.inference_mode()
def measure(part: Part, threads: int) -> tuple[list[float], list[float]]:
    """Run a part of a network in each of WAYS.

    Returns the CPU seconds of each way, and the largest relative difference of its output from that of the first way.
    """
    _, module, x = part
    x = x.contiguous(memory_format=torch.channels_last)
    module = module.eval()
    half, small = copy.deepcopy(module).bfloat16(), x.bfloat16()
    ways: list[Callable[[], Tensor]] = [lambda: module(x), lambda: half(small).float()]
    for precision in ("f32", "bf16"):
        run = compiled(module, (x.contiguous(),), torch.device("cpu"), threads=threads, precision=precision)
        assert run is not None  # `run` has checked that OpenVINO is installed
        ways.append(lambda run=run: run(x)[0])  # type: ignore[misc]
    right = ways[0]()
    apart = [float((way() - right).abs().max() / right.abs().max()) for way in ways]
    return [seconds(way, RUNS, time.process_time) for way in ways], apart


def agreement(engine: str, clip: Clip) -> tuple[list[float], float]:
    """Run two rounds with OpenVINO and with PyTorch alone, and return the CPU seconds per frame and the J between them.

    The first round is on the frame where the objects are largest, the second on the first frame.
    """
    objects = clip.num_objects
    drawn = [Interaction(frame, first_strokes(clip.truth[frame], objects)) for frame in (clip.largest_frame(), 0)]
    masks, times = [], []
    for options in ({}, PYTORCH.get(engine, {"precision": "float32"})):
        create_engine_session(
            engine, clip.frames(), objects, **options
        ).close()  # compiles the networks, which happens once in a process and must not be timed
        session = create_engine_session(engine, clip.frames(), objects, **options)
        start = time.process_time()
        updates = [u for interaction in drawn if interaction.scribbles for u in session.run_round(interaction)]
        times.append((time.process_time() - start) / len(updates))
        masks.append({update.frame: update.labels for update in updates})
        session.close()
    alike = [jaccard(labels, masks[1][frame], objects).mean() for frame, labels in masks[0].items()]
    return times, float(np.mean(alike))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--threads", type=int, default=1, help="threads of both runtimes (1)")
    parser.add_argument("--paper", action="store_true", help="the papers' sizes instead of the networks that ship")
    parser.add_argument("--davis-root", type=Path, help="folder in the DAVIS layout with 480p sequences")
    parser.add_argument(
        "--engines",
        nargs="+",
        default=ENGINES,
        choices=ENGINES,
        help="engines to run on --davis-root",
    )


def run(args: argparse.Namespace) -> int:
    if openvino() is None:
        print("runtimes: OpenVINO is not installed; pip install openvino", file=sys.stderr)
        return 2
    torch.set_num_threads(args.threads)
    print(f"{'CPU seconds':24}" + "".join(f"{way:>24}" for way in WAYS))
    for part in paper_parts() if args.paper else shipped_parts():
        times, apart = measure(part, args.threads)
        cells = [f"{time_:.4f} ({times[0] / time_:.2f}x, {gap:.0e})" for time_, gap in zip(times, apart, strict=True)]
        print(f"{part[0]:24}" + "".join(f"{cell:>24}" for cell in cells), flush=True)
    if args.davis_root is not None:
        folder = DavisFolder(args.davis_root)
        for engine in args.engines:
            for name in folder.names():
                (fast, plain), alike = agreement(engine, load_sequence(folder, name))
                took = f"CPU seconds a frame {fast:.3f}, {plain:.3f} without OpenVINO ({plain / fast:.2f}x)"
                print(f"{engine} on {name}: {took}, J of one's masks to the other's {alike:.4f}", flush=True)
    return 0
