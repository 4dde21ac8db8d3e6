"""How fast MA-Net is at the paper's size, beside a plain version of the same computation in the same run.

`python -m ...measure_engines.manet [--threads 2] [--frames 3] [--objects 1] [--weights FILE]` prints seconds
a frame for the embedding and for rounds 1 and 2, the engine's peak memory, the bound by arithmetic (GFLOP of the plain
version over this machine's measured matrix rate) and how far masks of float32 and bfloat16 agree (J).

The plain version computes as the official code does: batch norms apart, the 625 offsets of the local map as one array,
the distances of all pixels to all references for every id as another. It needs 6 GB.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from segmentation.checkpoints import load_network
from segmentation.engine import EngineSettings
from segmentation.engines.manet.engine import MANetEngine
from segmentation.engines.manet.network import MANet, to_input
from segmentation.engines.manet.rounds import rough_region
from segmentation.evaluation.golden.rules import make_scribble
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
from segmentation.session.round_labels import to_cells
from segmentation.types import MaskUpdate

WRONG = 1e20
CHUNKS = 10  # of the queries, as in the official code
MEMORY_BYTES = 256 << 20


# --- the engine ----------------------------------------------------------------------------------------------------


def run_engine(
    scene: Scene, weights: str, precision: str, clock: Clock
) -> tuple[dict[str, float], list[MaskUpdate], PeakMemory]:
    """Seconds a frame of every stage, the masks of both rounds, and the peak memory."""
    peak = PeakMemory()
    peak.start()
    settings = EngineSettings(device="cpu", weights=weights, memory_bytes=MEMORY_BYTES)
    session = MANetEngine(ArrayFrames(scene.frames), scene.objects, settings, precision=precision)
    times = {"embedding": min(seconds(partial(session._embed, t), clock=clock) for t in range(len(scene.frames)))}
    later, masks = timed_rounds(session, scene, clock)
    peak.stop()
    return times | later, masks, peak


# --- the plain version ---------------------------------------------------------------------------------------------


class Plain:
    """What the official code computes for one frame, as one writes it down."""

    def __init__(self, scene: Scene, weights: str) -> None:
        network = load_network("manet", weights)
        assert isinstance(network, MANet)
        self.network, self.scene = network, scene
        self.ids = range(scene.objects + 1)
        self.images = to_input(torch.from_numpy(scene.frames[:2]).permute(0, 3, 1, 2))

    def embed(self, frame: int) -> Tensor:
        return self.network.embed(self.images[frame : frame + 1])[0]

    def propagate(self, embeddings: Sequence[Tensor], scribbles: Tensor, labels: Tensor) -> Tensor:
        """From frame 0, scribbled and labelled, to frame 1."""
        far = plain_global(embeddings[1], embeddings[0], scribbles, self.ids)
        near = plain_local(embeddings[1], embeddings[0], labels, self.ids, self.network.config.window)
        logits = self.network.propagate(embeddings[1], (far, near), labels, self.ids)
        return F.interpolate(logits[None], size=(HEIGHT, WIDTH), mode="bilinear", align_corners=True)[0].argmax(0)


def plain_global(query: Tensor, reference: Tensor, scribbles: Tensor, ids: Sequence[int]) -> Tensor:
    """[n, h, w] with every distance of a chunk of queries to every reference, once more for every id."""
    labels = scribbles.flatten()
    cells = reference.flatten(1).t()[labels >= 0]
    wrong = (labels[labels >= 0][None] != torch.tensor(ids)[:, None]).float() * WRONG  # [n, R]
    parts = []
    for chunk in query.flatten(1).t().chunk(CHUNKS):
        distances = chunk.square().sum(1)[:, None] + cells.square().sum(1)[None] - 2 * chunk @ cells.t()
        parts.append((distances[:, None] + wrong[None]).amin(2))
    squared = torch.cat(parts).t().view(len(ids), *query.shape[1:])
    return 2 * (torch.sigmoid(squared) - 0.5)


def plain_local(query: Tensor, previous: Tensor, labels: Tensor, ids: Sequence[int], window: int) -> Tensor:
    """[n, h, w] through an array [C, h/2, w/2, 625] of differences and one [h, w, 625, n] of labels."""
    height, width = labels.shape
    small, other = F.avg_pool2d(query[None], 2), F.avg_pool2d(previous[None], 2)
    _, channels, half_height, half_width = small.shape
    padded = F.pad(other, (window,) * 4, value=WRONG)
    seen = F.unfold(padded, (half_height, half_width)).view(channels, half_height, half_width, -1)
    squared = (small[0, :, :, :, None] - seen).square().sum(0)
    distances = 2 * (torch.sigmoid(squared) - 0.5)
    full = F.interpolate(distances.permute(2, 0, 1)[None], (height, width), mode="bilinear", align_corners=True)
    full = full[0].permute(1, 2, 0)[..., None]  # [h, w, 625, 1]
    around = F.pad(labels[None, None].float(), (2 * window,) * 4)
    offsets = F.unfold(around, (height, width), stride=2).view(height, width, -1, 1)
    right = offsets == torch.tensor(ids)
    return torch.where(right, full, torch.ones(())).amin(2).permute(2, 0, 1)


def run_plain(scene: Scene, weights: str, clock: Clock) -> tuple[dict[str, float], dict[str, float]]:
    """Seconds a frame and GFLOP of every stage."""
    plain = Plain(scene, weights)
    embeddings = [plain.embed(0), plain.embed(1)]
    size = (embeddings[0].shape[1], embeddings[0].shape[2])
    labels = to_cells(scene.labels[0], size)
    bars = torch.from_numpy(make_scribble(labels.numpy().astype(np.uint8), scene.objects, 1).astype(np.int64))
    first = bars.where(bars != 0, torch.full_like(bars, -1))  # no strokes of the background in a first round
    stages: dict[str, Callable[[], Any]] = {
        "embedding": lambda: plain.embed(0),
        "round 1, a frame": lambda: plain.propagate(embeddings, rough_region(first, 20), labels),
        "round 2, a frame": lambda: plain.propagate(embeddings, bars, labels),
    }
    spent = {name: seconds(stage, 2, clock) for name, stage in stages.items()}
    return spent, {name: gflop(stage) for name, stage in stages.items()}


def compare(weights: str, objects: int, frames: int, clock: Clock) -> dict[str, float]:
    """Print the table for a number of objects; the float32 engine's seconds."""
    scene, rate = Scene(objects, frames), matrix_rate(clock=clock)
    exact, masks, peak = run_engine(scene, weights, "float32", clock)
    half, half_masks, _ = run_engine(scene, weights, "bfloat16", clock)
    plain, flops = run_plain(scene, weights, clock)
    print(f"\nmanet, {objects} object(s), {HEIGHT}x{WIDTH}: seconds a frame")
    print(f"{'':<24}{'plain':>8}{'float32':>9}{'times':>7}{'bfloat16':>10}{'times':>7}{'bound':>8}")
    for name, spent in exact.items():
        if name in plain:
            faster = f"{plain[name] / spent:>6.1f}x{half[name]:>10.3f}{plain[name] / half[name]:>6.1f}x"
            print(f"{name:<24}{plain[name]:>8.2f}{spent:>9.3f}{faster}{flops[name] * 1e9 / rate:>8.3f}")
        else:
            print(f"{name:<24}{'':>8}{spent:>9.3f}{'':>7}{half[name]:>10.3f}")
    agreement = np.mean([jaccard(a.labels, b.labels, objects) for a, b in zip(masks, half_masks, strict=True)])
    print(f"peak memory of the float32 engine {peak.bytes / 2**30:.2f} GiB; J of bfloat16 masks {agreement:.3f}")
    return exact


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m segmentation.evaluation.measure_engines.manet", description=__doc__
    )
    parser.add_argument("--threads", type=int, help="of torch; default: as many as it takes by itself")
    parser.add_argument(
        "--frames", type=int, default=3, help="propagated frames of a round, of which the fastest counts"
    )
    parser.add_argument("--objects", type=int, action="append", help="default: 1 and 3")
    parser.add_argument("--weights", help="default: random ones, whose masks tell nothing about agreement")
    parser.add_argument("--cpu-time", action="store_true", help="CPU seconds of all threads, for a busy machine")
    options = parser.parse_args(arguments)
    if options.threads:
        torch.set_num_threads(options.threads)
    clock = time.process_time if options.cpu_time else time.perf_counter
    with TemporaryDirectory() as folder, torch.inference_mode():
        weights = options.weights or paper_weights("manet", Path(folder))
        rates = [f"{matrix_rate(dtype, clock) / 1e9:.0f} in {dtype}" for dtype in (torch.float32, torch.bfloat16)]
        print(f"matrix rate, GFLOP/s: {', '.join(rates)}")
        found = {n: compare(weights, n, options.frames, clock) for n in options.objects or (1, 3)}
        if {1, 3} <= found.keys():
            ratios = (f"{name} {found[3][name] / found[1][name]:.2f}" for name in found[1])
            print(f"three objects over one: {', '.join(ratios)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
