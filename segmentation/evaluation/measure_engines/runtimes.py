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
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from segmentation.checkpoints import load_network, network_class
from segmentation.cutter.refinement import NUM_CUES, SIDE
from segmentation.evaluation.davis_folder import DavisFolder, load_sequence
from segmentation.evaluation.davis_folder import Sequence as Clip
from segmentation.evaluation.measure_engines.scene import HEIGHT, WIDTH, seconds
from segmentation.evaluation.stroke import first_strokes
from segmentation.metrics import jaccard
from segmentation.registry import create_engine_session
from segmentation.runtime.folding import for_inference
from segmentation.runtime.openvino import compiled, openvino
from segmentation.trunk.weights import load_network as load_trunk_network
from segmentation.types import Interaction
from segmentation.weights import find_weights

RUNS = 7
TRUNK_FRAME = (288, 512)  # height and width of a 16:9 frame as the trunk sees it
GRID = (240, 432)  # input size of the shipped networks
ENGINES = ("star", "stm", "manet", "ipn", "strnn")
# options that switch OpenVINO off; for other engines, naming a precision does that
PYTORCH: dict[str, dict[str, Any]] = {"star": {"openvino": False}}
WAYS = ("torch float32", "torch bfloat16", "openvino f32", "openvino bf16")

Part = tuple[str, nn.Module, Tensor]


class _Applied(nn.Module):
    """Wraps a module so that it has one input and one output: other inputs are fixed, several outputs are
    concatenated.
    """

    def __init__(self, module: nn.Module, call: Callable[[nn.Module, Tensor], Any]) -> None:
        super().__init__()
        self.module, self.call = module, call

    def forward(self, x: Tensor) -> Tensor:
        out = self.call(self.module, x)
        found: Tensor = out if isinstance(out, Tensor) else torch.cat([part.flatten() for part in out])
        return found


def shipped_parts() -> list[Part]:
    """Return the parts of the shipped networks that take most of the time of a round."""
    star, cutter = _loaded("star"), _loaded("star-cut")
    manet = _for_manet(load_network("manet", find_weights("manet")))
    width = manet.config.embedding
    cues = torch.rand(2, 3, GRID[0] // 4, GRID[1] // 4)
    clues = torch.rand(2, NUM_CUES, SIDE, SIDE)
    return [
        ("trunk", _Applied(load_trunk_network("lite0"), lambda m, x: m(x)), torch.rand(1, 3, *TRUNK_FRAME)),
        _star_decoder(star),
        ("STAR, cutter", _Applied(cutter, lambda m, x: m(x, clues.to(x.dtype))), torch.rand(2, 3, SIDE, SIDE)),
        ("MA-Net, embedding", _Applied(manet, _embed), torch.rand(1, 3, *GRID)),
        (
            "MA-Net, head of two ids",
            _Applied(manet.dynamic_seghead, lambda m, x: m(x[0], cues.to(x.dtype))),
            torch.rand(1, width, *cues.shape[2:]),
        ),
    ]


def _star_decoder(star: Any) -> Part:
    """STAR's decoder of one object: its input is the cues, what is seen of the frame is fixed."""
    height, width = TRUNK_FRAME
    convolutions = star.decoder.enter, star.decoder.seen4, star.decoder.seen2
    cues = convolutions[0].in_channels - star.config.context
    fine = star.decoder.up4.in_channels - star.config.widths[0] - convolutions[1].out_channels
    channels = star.config.context, convolutions[1].in_channels, convolutions[2].in_channels
    seen = [torch.rand(1, c, height // s, width // s) for c, s in zip(channels, (8, 4, 2), strict=True)]
    carried = torch.rand(1, fine, height // 4, width // 4)

    def decode(decoder: nn.Module, x: Tensor) -> Any:
        context, f4, colours = (part.to(x.dtype) for part in seen)
        return decoder((context, f4, colours), x, carried.to(x.dtype))

    return "STAR, decoder", _Applied(star.decoder, decode), torch.rand(1, cues, height // 8, width // 8)


def paper_parts() -> list[Part]:
    """Return the encoders of the papers' sizes, with 480p input."""
    size = (HEIGHT // 16 * 16, WIDTH // 16 * 16)
    manet, stm = _for_manet(network_class("manet")().eval()), network_class("stm")().eval()
    query = for_inference(stm.get_submodule("Encoder_Q"), torch.device("cpu"), torch.float32)
    return [
        ("MA-Net, embedding", _Applied(manet, _embed), torch.rand(1, 3, *size)),
        ("STM, query encoder", _Applied(query, lambda m, x: m(x)), torch.rand(1, 3, *size)),
    ]


def _embed(network: Any, images: Tensor) -> Tensor:
    embedding: Tensor = network.embed(images)
    return embedding


def _for_manet(network: nn.Module) -> Any:
    """Prepare MA-Net for inference with its own function. Engines are imported only when they are measured."""
    return import_module("segmentation.engines.manet.network").for_inference(network)


def _loaded(name: str) -> Any:
    return for_inference(load_network(name, find_weights(name)), torch.device("cpu"), torch.float32)


@torch.inference_mode()
def measure(part: Part, threads: int) -> tuple[list[float], list[float]]:
    """Return the CPU seconds of a run in each of WAYS, and the relative difference of its output from that of the
    first.
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
        ).close()  # networks are compiled once per process, which is not to be timed
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
    parser.add_argument("--engines", nargs="+", default=ENGINES, choices=ENGINES, help="engines to run on --davis-root")


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
