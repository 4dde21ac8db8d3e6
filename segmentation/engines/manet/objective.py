"""Trains MA-Net in the two stages of its paper (section 4.1), each in a separate run.

`propagation`: trains the embedding and the propagation head on clips of three frames. The first frame is the reference;
each other frame is segmented from the previous one.
`interaction`: trains only the interaction head, in rounds of scribbles. After each round the masks are propagated, and
the next round corrects another frame.
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

ROUNDS = 3  # rounds per clip in the second stage (section 4.1)
CELLS = 1024  # number of random reference cells per id, as in FEELVOS
SPREAD = 1.5  # initial squared distance of two unrelated cells; for a larger one, equation 1 is flat
RECTIFIED = 0.68  # the same for one channel that is the positive part of a standard normal variable

Result = tuple[Tensor, dict[str, float]]
Strokes = tuple[Scribble, ...]


class Objective:
    """How MA-Net is trained. The table `plan.objective` may set:

    stage: "propagation" or "interaction".
    keep, overlap: see `RunningMeans`.
    scribbled: probability that the reference is scribbles in a rough region, as in a first round, not the true mask.
    damaged: probability that the mask of the previous frame is damaged or predicted instead of the true one.
    settle_norms: the `settle` of `NormPlan`.
    """

    prepare = staticmethod(scribble)
    half = False  # set from outside, like `progress`
    progress = 0.0

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

        In the first stage, interacted frames have their true masks, because there is no trained interaction head yet.
        """
        assert isinstance(network, MANet)
        settings = EngineSettings(device=str(self.device))
        judge = validate_given if self.stage == "propagation" else validate
        return judge(lambda frames, n: MANetEngine(frames, n, settings, network=network), sources.validation)


class _TrainingStep(ABC):
    """The loss of one training step on its clips.

    Lists have one entry per clip. The ids of a clip are 0 (background) to its last object.
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
        """Return logits [n, h, w] from embeddings [B, C, h, w], maps (G, L) and the labels [h, w] of the neighbour."""
        cues = [
            torch.stack((*pair, one_hot(labels, ids)), dim=1)
            for pair, labels, ids in zip(maps, before, self.ids, strict=True)
        ]
        return self._run(self.network.dynamic_seghead, embeddings, cues)

    def _run(self, head: nn.Module, embeddings: Tensor, cues: list[Tensor]) -> list[Tensor]:
        """Run a head on all ids of all clips together, so that batch norms see them all: [n, k, h, w] -> [n, h, w]."""
        with self._mixed():
            logits: Tensor = head(embeddings[self.row_clip], torch.cat(cues))
        return list(logits.float().split([len(ids) for ids in self.ids]))

    def _note(self, logits: list[Tensor], t: int, name: str) -> Tensor:
        """Add the loss of frame t, computed at full size. Return the predicted labels, int64 [B, H, W]."""
        full = self._full(logits)
        self.means.add(name, full, list(self.batch.labels[:, t]))
        return torch.stack([part.argmax(0) for part in full])

    def _cells(self, embedding: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Return embeddings [R, C] and ids [R] of labelled cells, at most CELLS of each id."""
        cells, ids = labelled_cells(embedding, labels)
        order = torch.from_numpy(self.random.permutation(len(ids))).to(ids.device)
        chosen = torch.cat([order[ids[order] == id_][:CELLS] for id_ in torch.unique(ids)] or [order])
        return cells[chosen], ids[chosen]

    def _full(self, logits: list[Tensor]) -> list[Tensor]:
        """Resize logits [n, h, w] to the size of the frames, as in the engine."""
        return [F.interpolate(a[None], size=self.batch.size, mode="bilinear", align_corners=True)[0] for a in logits]

    def _on_cells(self, strokes: Strokes) -> Tensor:
        return self._raster(strokes, self.size)

    def _raster(self, strokes: Strokes, size: tuple[int, int]) -> Tensor:
        """Return the ids under the scribbles, int64 [h, w], -1 elsewhere."""
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
        """Return the reference labels [h, w] of the first frame, -1 where there is none."""
        if self.random.random() < self.objective.scribbled:
            return rough_region(self._on_cells(self.scribbled[b].strokes), MemoryOptions.margin)
        truth = self.cells[b, 0]
        return torch.where(truth < len(self.ids[b]), truth, -1)

    def _before(self, t: int, found: Tensor) -> list[Tensor]:
        """Return the labels [h, w] of frame t for the next frame. `found` [B, h, w] are the predicted ones."""
        worn = found if t else on_grid(self._damaged()[:, None], self.size)[:, 0]
        chosen = self.random.random(len(self.ids)) < self.objective.damaged
        return [worn[b] if chosen[b] else self.cells[b, t] for b in range(len(self.ids))]

    def _damaged(self) -> Tensor:
        """Return the true labels of the first frame with damaged outlines, int64 [B, H, W]."""
        noise = torch.Generator().manual_seed(int(self.random.integers(1 << 62)))
        masks = damage(self.batch.own(self.batch.labels[:, 0]), noise)
        parts = [torch.cat((torch.full_like(part[:1], 0.5), part)).argmax(0) for part in self.batch.by_clip(masks)]
        return torch.stack(parts)


class _Interaction(_TrainingStep):
    """A step of the second stage, which trains the interaction head.

    The other parts are frozen: they run without gradients, and their batch norms run as in the engine.
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
        """Return the labels that the interaction head predicts, int64 [B, H, W].

        Scribbled pixels get the scribble's id.
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
        """Propagate the labels `found` of a frame in both directions.

        Return the masks of all frames, int64 [B, T, H, W].
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
        """Update the global memory with this round.

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
        """Choose another frame, and draw scribbles where its masks are wrong. Clips without errors get none."""
        others = [t for t in range(self.batch.length) if t != frame] or [frame]
        chosen = int(self.random.choice(others))
        wrong = masks[:, chosen].to(torch.uint8).cpu().numpy()
        strokes = [
            correcting_scribbles(self.random, clip.labels[chosen], wrong[b], clip.num_objects)
            for b, clip in enumerate(self.batch.clips)
        ]
        return chosen, strokes


STAGES: dict[str, type[_TrainingStep]] = {"propagation": _Propagation, "interaction": _Interaction}
