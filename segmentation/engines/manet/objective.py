"""Trains MA-Net on clips (short sequences of frames with true masks), in the two stages of its paper (section 4.1).

Each stage is a separate run. `propagation` trains the embedding and the propagation head on clips of three frames: the
first frame is annotated, and each other frame is segmented from the frame before it. `interaction` trains only the
interaction head, in rounds of scribbles: after each round the masks are propagated, and the next round corrects another
frame.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from segmentation.engine import EngineSettings
from segmentation.engines.manet.engine import MANetEngine
from segmentation.engines.manet.memory import MemoryOptions, labelled_cells
from segmentation.engines.manet.network import MANet, MANetConfig, one_hot, to_input
from segmentation.engines.manet.rounds import rough_region
from segmentation.networks.matching import References, local_distances
from segmentation.scribbles import rasterise
from segmentation.training.objectives.batch import Batch, damage, on_grid
from segmentation.training.objectives.configs import read_config
from segmentation.training.objectives.maps import global_map, local_map
from segmentation.training.objectives.running_means import RunningMeans
from segmentation.training.objectives.warm_start import NormPlan, begin, hold_norms
from segmentation.training.plan import Plan
from segmentation.training.precision import mixed
from segmentation.training.scribbled_clips import ScribbledClip, scribble
from segmentation.training.sources import Sources
from segmentation.training.synthetic_scribbles import correcting_scribbles
from segmentation.training.validation import validate, validate_given
from segmentation.types import Scribble

ROUNDS = 3  # Number of rounds on each clip in the second stage (section 4.1).
CELLS = 1024  # Largest number of annotated pixels per id with which frames are compared, as in FEELVOS.
SPREAD = 1.5  # Initial squared distance of the embeddings of unrelated pixels; above it, equation 1 is flat.
RECTIFIED = 0.68  # The mean squared distance of two positive parts of standard normal variables.

Result = tuple[Tensor, dict[str, float]]
Strokes = tuple[Scribble, ...]


class Objective:
    """The training objective of MA-Net. The table [objective] of a training plan sets its options.

    Args:
        plan: the training plan.
        device: the device on which the network is trained.
        stage: "propagation" or "interaction".
        keep: the share of pixels, those with the largest loss, that the cross-entropy counts.
        overlap: the weight of (1 - soft J) in the loss.
        scribbled: the probability that the first frame is annotated by scribbles in a rough region, as in a first
            round, and not by its true mask.
        damaged: the probability that the mask of the previous frame is predicted or has random errors, instead of being
            the true mask.
        settle_norms: the share of the training after which batch norms use their running statistics; 0 = never.
    """

    prepare = staticmethod(scribble)
    half = False  # Whether to train in half precision. The training loop sets it and `progress`.
    progress = 0.0  # The share of the training that is done, 0..1.

    def __init__(
        self,
        plan: Plan,
        device: torch.device,
        stage: str = "propagation",
        keep: float = 0.15,
        overlap: float = 0.0,
        scribbled: float = 0.0,
        damaged: float = 0.0,
        settle_norms: float = 0.0,
    ) -> None:
        if stage not in STAGES:
            raise ValueError(f"stage: unknown {stage!r}, known are {', '.join(STAGES)}")
        self.norms = NormPlan(settle=settle_norms)
        network = MANet(read_config(MANetConfig, plan.network))
        begin(network, self.norms)
        nn.init.constant_(network.bn2.weight, math.sqrt(SPREAD / (RECTIFIED * network.config.embedding)))
        self.network: nn.Module = network.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.parts = {"manet": self.network}
        self.device, self.stage = device, stage
        self.keep, self.overlap, self.scribbled, self.damaged = keep, overlap, scribbled, damaged

    def loss(self, clips: list[ScribbledClip], random: np.random.Generator) -> Result:
        hold_norms(self.network, self.norms, self.progress)
        return STAGES[self.stage](self, clips, random).play()

    def validate(self, network: nn.Module, sources: Sources) -> dict[str, float]:
        """Return J&F on the validation videos.

        In the first stage, frames that are drawn on get their true masks, as the interaction head is not trained yet.
        """
        assert isinstance(network, MANet)
        settings = EngineSettings(device=str(self.device))
        judge = validate_given if self.stage == "propagation" else validate
        return judge(lambda frames, n: MANetEngine(frames, n, settings, network=network), sources.validation)


class _TrainingStep(ABC):
    """A training step on B clips of T frames.

    Lists have an entry for each clip. The ids of a clip are 0 (background) to n - 1, its last object.
    """

    def __init__(self, objective: Objective, clips: list[ScribbledClip], random: np.random.Generator) -> None:
        network = objective.network
        assert isinstance(network, MANet)
        self.network, self.objective, self.scribbled, self.random = network, objective, clips, random
        self.batch = batch = Batch([scribbled.clip for scribbled in clips], objective.device)
        self.ids = [range(clip.num_objects + 1) for clip in batch.clips]
        self.row_clip = torch.tensor([b for b, ids in enumerate(self.ids) for _ in ids], device=objective.device)
        self.size = (-(-batch.size[0] // 4), -(-batch.size[1] // 4))  # size of an embedding
        self.cells = on_grid(batch.labels, self.size)  # [B, T, h, w]
        self.means = RunningMeans(objective.keep, objective.overlap)

    @abstractmethod
    def play(self) -> Result:
        """Run the step and return its loss and figures."""

    def _embed(self) -> Tensor:
        """Return the embeddings of all frames, [B, T, C, h, w]."""
        images = to_input(255 * self.batch.frames.flatten(0, 1)).contiguous(memory_format=torch.channels_last)
        with self._mixed():
            embeddings = self.network.embed(images)
        return embeddings.float().unflatten(0, self.batch.labels.shape[:2])

    def _propagate(self, embeddings: Tensor, maps: list[tuple[Tensor, Tensor]], before: list[Tensor]) -> list[Tensor]:
        """Segment a frame of each clip by the propagation head. Return for each clip logits [n, h, w].

        Args:
            embeddings: the embeddings of the frames, [B, C, h, w].
            maps: for each clip, the global and the local map of the frame, [n, h, w] each.
            before: for each clip, the mask of the frame before, [h, w].
        """
        cues = [
            torch.stack((*pair, one_hot(labels, ids)), dim=1)
            for pair, labels, ids in zip(maps, before, self.ids, strict=True)
        ]
        return self._run(self.network.dynamic_seghead, embeddings, cues)

    def _run(self, head: nn.Module, embeddings: Tensor, cues: list[Tensor]) -> list[Tensor]:
        """Run a head on all ids of all clips together, so that its batch norms see them all.

        `cues` are, for each clip, the k maps of each id, [n, k, h, w]. Return for each clip logits [n, h, w].
        """
        with self._mixed():
            logits: Tensor = head(embeddings[self.row_clip], torch.cat(cues))
        return list(logits.float().split([len(ids) for ids in self.ids]))

    def _note(self, logits: list[Tensor], t: int, name: str) -> Tensor:
        """Add the loss of frame t at full size. Return the masks that are predicted, int64 [B, H, W].

        `name` is the name of the loss in the figures.
        """
        full = self._full(logits)
        self.means.add(name, full, list(self.batch.labels[:, t]))
        return torch.stack([part.argmax(0) for part in full])

    def _cells(self, embedding: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Return the embeddings [R, C] and ids [R] of random pixels that have an id >= 0, at most CELLS of each id."""
        cells, ids = labelled_cells(embedding, labels)
        order = torch.from_numpy(self.random.permutation(len(ids))).to(ids.device)
        chosen = torch.cat([order[ids[order] == id_][:CELLS] for id_ in torch.unique(ids)] or [order])
        return cells[chosen], ids[chosen]

    def _full(self, logits: list[Tensor]) -> list[Tensor]:
        """Resize the logits of each clip, [n, h, w], to the size of the frames, as the engine does."""
        return [F.interpolate(a[None], size=self.batch.size, mode="bilinear", align_corners=True)[0] for a in logits]

    def _on_cells(self, strokes: Strokes) -> Tensor:
        return self._raster(strokes, self.size)

    def _raster(self, strokes: Strokes, size: tuple[int, int]) -> Tensor:
        """Return the ids under the scribbles at a size (h, w), int64 [h, w], -1 elsewhere."""
        return torch.from_numpy(rasterise(strokes, *size).astype(np.int64)).to(self.objective.device)

    def _mixed(self) -> torch.autocast:
        return mixed(self.objective.device, self.objective.half)


class _Propagation(_TrainingStep):
    """A step of the first stage, which trains the embedding and the propagation head."""

    def play(self) -> Result:
        embeddings = self._embed()
        references = [self._reference(b) for b in range(len(self.ids))]
        found = self.cells[:, 0]
        for t in range(1, self.batch.length):
            before = self._before(t - 1, found)
            maps = [
                (
                    global_map(e[t], *self._cells(e[0], reference), ids),
                    local_map(e[t], e[t - 1], labels, ids, self.network.config.window),
                )
                for e, reference, labels, ids in zip(embeddings, references, before, self.ids, strict=True)
            ]
            logits = self._propagate(embeddings[:, t], maps, before)
            found = on_grid(self._note(logits, t, f"step_{t}")[:, None], self.size)[:, 0]
        return self.means.result()

    def _reference(self, b: int) -> Tensor:
        """Return the annotation of the first frame of clip b as ids, [h, w], with -1 where nothing is annotated."""
        if self.random.random() < self.objective.scribbled:
            return rough_region(self._on_cells(self.scribbled[b].strokes), MemoryOptions.margin)
        truth = self.cells[b, 0]
        return torch.where(truth < len(self.ids[b]), truth, -1)

    def _before(self, t: int, found: Tensor) -> list[Tensor]:
        """Return for each clip the mask [h, w] of frame t from which the next frame is segmented.

        It is the true mask, or, with the probability `damaged`, the predicted mask in `found` [B, h, w]. In frame 0 a
        true mask with random errors takes the place of the latter.
        """
        worn = found if t else on_grid(self._damaged()[:, None], self.size)[:, 0]
        chosen = self.random.random(len(self.ids)) < self.objective.damaged
        return [worn[b] if chosen[b] else self.cells[b, t] for b in range(len(self.ids))]

    def _damaged(self) -> Tensor:
        """Return the true masks of the first frames with random errors, int64 [B, H, W]."""
        noise = torch.Generator().manual_seed(int(self.random.integers(1 << 62)))
        masks = damage(self.batch.own(self.batch.labels[:, 0]), noise)
        parts = [torch.cat((torch.full_like(part[:1], 0.5), part)).argmax(0) for part in self.batch.by_clip(masks)]
        return torch.stack(parts)


class _Interaction(_TrainingStep):
    """A step of the second stage, which trains the interaction head.

    All other parts are frozen: they run without gradients, and their batch norms use the stored statistics.
    """

    def __init__(self, objective: Objective, clips: list[ScribbledClip], random: np.random.Generator) -> None:
        super().__init__(objective, clips, random)
        network = self.network
        for module in (network.feature_extracter, network.semantic_embedding, network.dynamic_seghead):
            module.eval()
        with torch.no_grad():
            self.embeddings = self._embed()
        self.memory = [torch.ones(self.batch.length, len(ids), *self.size, device=objective.device) for ids in self.ids]

    def play(self) -> Result:
        frame, strokes = 0, [scribbled.strokes for scribbled in self.scribbled]
        masks = torch.zeros_like(self.batch.labels, dtype=torch.int64)  # [B, T, H, W]
        for number in range(1, ROUNDS + 1):
            found = self._interact(frame, strokes, masks[:, frame], f"round_{number}")
            if number < ROUNDS:
                masks = self._spread(frame, strokes, found, first=number == 1)
                frame, strokes = self._correct(frame, masks)
        return self.means.result()

    def _interact(self, frame: int, strokes: list[Strokes], before: Tensor, name: str) -> Tensor:
        """Segment a frame of each clip from scribbles by the interaction head, and add its loss as `name`.

        `before` [B, H, W] are the masks of this frame before the round. Return the predicted masks, int64 [B, H, W], in
        which pixels under a scribble have its id.
        """
        previous = on_grid(before[:, None], self.size)[:, 0]
        cues = [
            torch.stack((one_hot(self._on_cells(drawn), ids), one_hot(labels, ids)), dim=1)
            for drawn, labels, ids in zip(strokes, previous, self.ids, strict=True)
        ]
        found = self._note(self._run(self.network.inter_seghead, self.embeddings[:, frame], cues), frame, name)
        drawn = torch.stack([self._raster(scribbles, self.batch.size) for scribbles in strokes])
        return torch.where(drawn >= 0, drawn, found)

    @torch.no_grad()
    def _spread(self, frame: int, strokes: list[Strokes], found: Tensor, *, first: bool) -> Tensor:
        """Propagate the masks `found` [B, H, W] of a frame forward and backward.

        Return the masks of all frames, int64 [B, T, H, W]. `first` means that this is the first round.
        """
        self._remember(frame, strokes, first=first)
        masks = {frame: found}
        for step in (1, -1):
            t = frame + step
            while 0 <= t < self.batch.length:
                before = list(on_grid(masks[t - step][:, None], self.size)[:, 0])
                maps = [
                    (memory[t], local_distances(e[t], e[t - step], labels, ids, self.network.config.window))
                    for e, memory, labels, ids in zip(self.embeddings, self.memory, before, self.ids, strict=True)
                ]
                logits = self._full(self._propagate(self.embeddings[:, t], maps, before))
                masks[t] = torch.stack([part.argmax(0) for part in logits])
                t += step
        return torch.stack([masks[t] for t in range(self.batch.length)], dim=1)

    def _remember(self, frame: int, strokes: list[Strokes], *, first: bool) -> None:
        """Update the global memory of all frames with the scribbles of this round in `frame`.

        Other frames follow equation 3 of the MA-Net paper, this frame follows equation 8.
        """
        for e, memory, drawn, ids in zip(self.embeddings, self.memory, strokes, self.ids, strict=True):
            scribbles = self._on_cells(drawn)
            own = local_distances(e[frame], e[frame], scribbles, ids, self.network.config.window)
            reference = rough_region(scribbles, MemoryOptions.margin) if first else scribbles
            references = References(*self._cells(e[frame], reference))
            for t in range(self.batch.length):
                new = own if t == frame else references.distances(e[t], ids)
                memory[t] = torch.minimum(memory[t], new)

    def _correct(self, frame: int, masks: Tensor) -> tuple[int, list[Strokes]]:
        """Choose a frame other than `frame`, and draw scribbles in each clip where its mask is wrong there.

        Return the index of the frame and the scribbles of each clip. A clip without errors gets no scribbles.
        """
        others = [t for t in range(self.batch.length) if t != frame] or [frame]
        chosen = int(self.random.choice(others))
        wrong = masks[:, chosen].to(torch.uint8).cpu().numpy()
        strokes = [
            correcting_scribbles(self.random, clip.labels[chosen], wrong[b], clip.num_objects)
            for b, clip in enumerate(self.batch.clips)
        ]
        return chosen, strokes


STAGES: dict[str, type[_TrainingStep]] = {"propagation": _Propagation, "interaction": _Interaction}
