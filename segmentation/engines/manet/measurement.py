"""Measures the speed of MA-Net, as the engine runs it and in a plain version.

The plain version computes as the official code does: with separate batch norms, with the 625 offsets of the local map
in one array, and with a search through the distances to all annotated pixels for each id. It needs 6 GB.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from segmentation.checkpoints import load_network
from segmentation.engine import EngineSettings
from segmentation.engines.manet.engine import MANetEngine
from segmentation.engines.manet.network import MANet, for_inference, to_input
from segmentation.engines.manet.rounds import rough_region
from segmentation.evaluation.golden.rules import make_scribble
from segmentation.evaluation.measure_engines.parts import GRID, Applied, Part
from segmentation.evaluation.measure_engines.scene import (
    HEIGHT,
    WIDTH,
    Clock,
    Measured,
    Scene,
    agreement,
    gflop,
    seconds,
    timed_rounds,
)
from segmentation.evaluation.memory import PeakMemory
from segmentation.frames import ArrayFrames
from segmentation.session.round_labels import to_cells
from segmentation.types import MaskUpdate
from segmentation.weights import shipped_folder

WRONG = 1e20  # Stands for the distance to a pixel of another id, or outside the frame.
CHUNKS = 10  # The official code splits the pixels of a frame into this many parts.
MEMORY_BYTES = 256 << 20


# --- the engine ----------------------------------------------------------------------------------------------------


def run_engine(
    scene: Scene, weights: str, precision: str, clock: Clock
) -> tuple[dict[str, float], list[MaskUpdate], PeakMemory]:
    """Run two rounds of the engine. Return the seconds per frame of each stage, the masks, and the peak memory."""
    peak = PeakMemory()
    peak.start()
    settings = EngineSettings(device="cpu", weights=weights, memory_bytes=MEMORY_BYTES)
    session = MANetEngine(ArrayFrames(scene.frames), scene.objects, settings, precision=precision)
    times = {"embedding": min(seconds(partial(session._embed, t), clock=clock) for t in range(len(scene.frames)))}
    later, masks = timed_rounds(session, scene, clock)
    peak.stop()
    return times | later, masks, peak


# --- the parts that are measured by themselves ---------------------------------------------------------------------


def shipped_parts() -> list[Part]:
    """Return the embedding network and the propagation head for two ids, to measure their speed.

    They have the weights that come with the program, and example inputs. The pretrained trunk is left out, because all
    engines share it.
    """
    manet = load_network("manet", shipped_folder("manet"))
    assert isinstance(manet, MANet)
    network = for_inference(manet)
    cues = torch.rand(2, 3, GRID[0] // 4, GRID[1] // 4)
    head = Applied(network.dynamic_seghead, lambda m, x: m(x[0], cues.to(x.dtype)))
    return [
        _embedding_after_trunk(network, GRID) if network.on_trunk else _embedding(network, GRID),
        ("MA-Net, head of two ids", head, torch.rand(1, network.config.embedding, *cues.shape[2:])),
    ]


def paper_parts() -> list[Part]:
    """Return the embedding network with the paper's sizes and a 480p input, to measure its speed."""
    return [_embedding(for_inference(MANet().eval()), (HEIGHT // 16 * 16, WIDTH // 16 * 16))]


def _embedding(network: MANet, size: tuple[int, int]) -> Part:
    return "MA-Net, embedding", Applied(network, lambda m, x: cast(MANet, m).embed(x)), torch.rand(1, 3, *size)


def _embedding_after_trunk(network: MANet, size: tuple[int, int]) -> Part:
    fine, coarse = network.config.deeplab.backbone.channels
    pooled = torch.rand(1, coarse, size[0] // 16, size[1] // 16)
    after = Applied(network, lambda m, x: cast(MANet, m).embed_features(x, pooled.to(x.dtype)))
    return "MA-Net, embedding after the trunk", after, torch.rand(1, fine, size[0] // 4, size[1] // 4)


# --- the plain version ---------------------------------------------------------------------------------------------


class Plain:
    """Computes the embedding and the mask of a frame as the official code does, so that each step can be timed."""

    def __init__(self, scene: Scene, weights: str) -> None:
        network = load_network("manet", weights)
        assert isinstance(network, MANet)
        self.network, self.scene = network, scene
        self.ids = range(scene.objects + 1)
        self.images = to_input(torch.from_numpy(scene.frames[:2]).permute(0, 3, 1, 2))

    def embed(self, frame: int) -> Tensor:
        return self.network.embed(self.images[frame : frame + 1])[0]

    def propagate(self, embeddings: Sequence[Tensor], scribbles: Tensor, labels: Tensor) -> Tensor:
        """Propagate from frame 0 to frame 1. Return the mask of frame 1 at the size of the frame, int64 [H, W].

        `embeddings` are those of both frames. Frame 0 has the scribbles `scribbles` and the mask `labels`, [h, w].
        """
        far = plain_global(embeddings[1], embeddings[0], scribbles, self.ids)
        near = plain_local(embeddings[1], embeddings[0], labels, self.ids, self.network.config.window)
        logits = self.network.propagate(embeddings[1], (far, near), labels, self.ids)
        return F.interpolate(logits[None], size=(HEIGHT, WIDTH), mode="bilinear", align_corners=True)[0].argmax(0)


def plain_global(query: Tensor, reference: Tensor, scribbles: Tensor, ids: Sequence[int]) -> Tensor:
    """Return the global map [n, h, w] of the frame with the embedding `query`, as the official code computes it.

    That is the distance of each pixel to the nearest scribbled pixel of each id in the frame with the embedding
    `reference`. For each id all distances are searched, also those to pixels of other ids.
    """
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
    """Return the local map [n, h, w] of the frame with the embedding `query`, as the official code computes it.

    That is the distance of each pixel to the nearest pixel of each id in a window of the frame `previous`, whose ids
    are `labels`. All 625 offsets are in memory at once: differences [C, h/2, w/2, 625] and ids [h, w, 625, n].
    """
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
    """Return the seconds per frame and the GFLOP of each stage, computed with the operations of the official code
    (`Plain`).
    """
    plain = Plain(scene, weights)
    embeddings = [plain.embed(0), plain.embed(1)]
    size = (embeddings[0].shape[1], embeddings[0].shape[2])
    labels = to_cells(scene.labels[0], size)
    bars = torch.from_numpy(make_scribble(labels.numpy().astype(np.uint8), scene.objects, 1).astype(np.int64))
    first = bars.where(bars != 0, torch.full_like(bars, -1))  # A first round has no background scribbles.
    stages: dict[str, Callable[[], Any]] = {
        "embedding": lambda: plain.embed(0),
        "round 1, a frame": lambda: plain.propagate(embeddings, rough_region(first, 20), labels),
        "round 2, a frame": lambda: plain.propagate(embeddings, bars, labels),
    }
    spent = {name: seconds(stage, 2, clock) for name, stage in stages.items()}
    return spent, {name: gflop(stage) for name, stage in stages.items()}


def measure(engine: str, scene: Scene, weights: str, clock: Clock) -> Measured:
    exact, masks, peak = run_engine(scene, weights, "float32", clock)
    half, half_masks, _ = run_engine(scene, weights, "bfloat16", clock)
    plain, flops = run_plain(scene, weights, clock)
    return Measured(exact, half, plain, flops, peak.bytes, agreement(masks, half_masks, scene.objects))
