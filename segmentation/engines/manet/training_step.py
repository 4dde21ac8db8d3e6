"""What all training steps of MA-Net share: running its heads on several clips, distance maps, and the loss of masks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from segmentation.engines.manet.memory import MemoryOptions, labelled_cells
from segmentation.engines.manet.network import MANet, one_hot
from segmentation.engines.manet.rounds import rough_region
from segmentation.scribbles import rasterise
from segmentation.training.objectives.batch import LabelBatch, damage, on_grid
from segmentation.training.objectives.maps import global_map, local_map
from segmentation.training.objectives.running_means import RunningMeans
from segmentation.training.precision import mixed
from segmentation.types import Scribble

CELLS = 1024  # Largest number of annotated pixels per id with which frames are compared, as in FEELVOS.

Result = tuple[Tensor, dict[str, float]]
Strokes = tuple[Scribble, ...]


@dataclass(frozen=True)
class StepOptions:
    """The options of a training step, which `Objective` explains."""

    keep: float = 0.15
    overlap: float = 0.0
    scribbled: float = 0.0
    damaged: float = 0.0
    half: bool = False


class TrainingStep(ABC):
    """A training step on B clips of T frames.

    Lists have an entry for each clip. The ids of a clip are 0 (background) to n - 1, its last object.
    """

    cell = 4  # Side of a pixel of an embedding, in pixels of the true masks.

    def __init__(self, network: MANet, batch: LabelBatch, options: StepOptions, random: np.random.Generator) -> None:
        self.network, self.batch, self.options, self.random = network, batch, options, random
        self.device = batch.labels.device
        self.ids = [range(count + 1) for count in batch.objects]
        self.row_clip = torch.tensor([b for b, ids in enumerate(self.ids) for _ in ids], device=self.device)
        self.size = (-(-batch.size[0] // self.cell), -(-batch.size[1] // self.cell))  # size of an embedding
        self.cells = on_grid(batch.labels, self.size)  # [B, T, h, w]
        self.means = RunningMeans(options.keep, options.overlap)

    @abstractmethod
    def play(self) -> Result:
        """Run the step and return its loss and figures."""

    def propagate(self, embeddings: Tensor, maps: list[tuple[Tensor, Tensor]], before: list[Tensor]) -> list[Tensor]:
        """Segment a frame of each clip by the propagation head. Return for each clip logits [n, h, w].

        Args:
            embeddings: the embeddings of the frames, [B, C, h, w].
            maps: for each clip, the global and the local map of the frame, [n, h, w] each.
            before: for each clip, the mask of the adjacent frame, [h, w].
        """
        cues = [
            torch.stack((*pair, one_hot(labels, ids)), dim=1)
            for pair, labels, ids in zip(maps, before, self.ids, strict=True)
        ]
        return self.run(self.network.dynamic_seghead, embeddings, cues)

    def run(self, head: nn.Module, embeddings: Tensor, cues: list[Tensor]) -> list[Tensor]:
        """Run a head on all ids of all clips together, so that its batch norms see them all.

        `cues` are, for each clip, the k maps of each id, [n, k, h, w]. Return for each clip logits [n, h, w].
        """
        with self.mixed():
            logits: Tensor = head(embeddings[self.row_clip], torch.cat(cues))
        return list(logits.float().split([len(ids) for ids in self.ids]))

    def note(self, logits: list[Tensor], t: int, name: str) -> Tensor:
        """Add the loss of frame t at full size. Return the masks that are predicted, int64 [B, H, W].

        `name` is the name of the loss in the figures.
        """
        full = self.full_size(logits)
        self.means.add(name, full, list(self.batch.labels[:, t]))
        return torch.stack([part.argmax(0) for part in full])

    def annotated_cells(self, embedding: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Return the embeddings [R, C] and ids [R] of random pixels that have an id >= 0, at most CELLS of each id."""
        cells, ids = labelled_cells(embedding, labels)
        order = torch.from_numpy(self.random.permutation(len(ids))).to(ids.device)
        chosen = torch.cat([order[ids[order] == id_][:CELLS] for id_ in torch.unique(ids)] or [order])
        return cells[chosen], ids[chosen]

    def full_size(self, logits: list[Tensor]) -> list[Tensor]:
        """Resize the logits of each clip, [n, h, w], to the size of the frames, as the engine does."""
        return [F.interpolate(a[None], size=self.batch.size, mode="bilinear", align_corners=True)[0] for a in logits]

    def on_cells(self, strokes: Strokes) -> Tensor:
        return self.raster(strokes, self.size)

    def raster(self, strokes: Strokes, size: tuple[int, int]) -> Tensor:
        """Return the ids under the scribbles at a size (h, w), int64 [h, w], -1 elsewhere."""
        return torch.from_numpy(rasterise(strokes, *size).astype(np.int64)).to(self.device)

    def mixed(self) -> torch.autocast:
        return mixed(self.device, self.options.half)

    def distance_maps(
        self, now: Tensor, before: Tensor, reference: tuple[Tensor, Tensor], labels: Tensor, ids: range
    ) -> tuple[Tensor, Tensor]:
        """Return the global and the local map of a frame of a clip, [n, h, w] each.

        Args:
            now, before: the embeddings [C, h, w] of the frame and of the frame before.
            reference: the embeddings [R, C] and ids [R] of annotated pixels.
            labels: the mask of the frame before, [h, w].
            ids: the ids of the clip.
        """
        return global_map(now, *reference, ids), local_map(now, before, labels, ids, self.network.config.window)

    def reference(self, b: int, truth: Tensor, strokes: Strokes) -> Tensor:
        """Return the annotation of the first frame of clip b as ids, [h, w], with -1 where nothing is annotated.

        It is the mask `truth` [h, w], or, with the probability `scribbled`, the scribbles in their rough region.
        """
        if strokes and self.random.random() < self.options.scribbled:
            return rough_region(self.on_cells(strokes), MemoryOptions.margin)
        return torch.where(truth < len(self.ids[b]), truth, -1)

    def damaged(self, t: int) -> Tensor:
        """Return the true masks of frame t of all clips with random errors, int64 [B, H, W]."""
        noise = torch.Generator().manual_seed(int(self.random.integers(1 << 62)))
        masks = damage(self.batch.own(self.batch.labels[:, t]), noise)
        parts = [torch.cat((torch.full_like(part[:1], 0.5), part)).argmax(0) for part in self.batch.by_clip(masks)]
        return torch.stack(parts)
