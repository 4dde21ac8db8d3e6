"""MA-Net learns in two stages, as its paper has it (section 4.1), each a run of its own.

`propagation`: the embedding and the propagation head. Three frames of a clip: the first is the reference, of the others
each is found from the one before it.
`interaction`: the interaction head; all else stays as it is. Rounds of scribbles: after each, the masks are propagated,
and the next one corrects another frame.
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

ROUNDS = 3  # of a clip in the second stage (section 4.1)
CELLS = 1024  # of an id that frames are compared with, chosen at random: learning needs no more, as in FEELVOS
SPREAD = 1.5  # squared distance of two unrelated cells before anything is learned: far more, and equation 1 is flat
RECTIFIED = 0.68  # the same of one channel, the positive part of a standard normal variable

Result = tuple[Tensor, dict[str, float]]
Strokes = tuple[Scribble, ...]


class Objective:
    """`plan.objective` may set

    stage: "propagation" or "interaction".
    keep, overlap: see `RunningMeans`.
    drawn: how often the reference is scribbles in a rough region, as in a first round, and not the true mask.
    worn: how often the mask of the frame before is a damaged or a found one, and not the true one.
    settle_norms: the `settle` of `NormPlan`.
    """

    prepare = staticmethod(scribble)
    half = False  # set by who runs the objective, as `progress` is
    progress = 0.0

    def __init__(
        self,
        plan: Plan,
        device: torch.device,
        stage: str = "propagation",
        keep: float = 0.15,
        overlap: float = 0.0,
        drawn: float = 0.0,
        worn: float = 0.0,
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
        self.keep, self.overlap, self.drawn, self.worn = keep, overlap, drawn, worn

    def loss(self, clips: list[ScribbledClip], random: np.random.Generator) -> Result:
        hold_norms(self.network, self.norms, self.progress)
        return STAGES[self.stage](self, clips, random).play()

    def validate(self, network: nn.Module, sources: Sources) -> dict[str, float]:
        """The first stage is judged with true masks of the interacted frames: it has no interaction head yet."""
        assert isinstance(network, MANet)
        settings = EngineSettings(device=str(self.device))
        judge = validate_given if self.stage == "propagation" else validate
        return judge(lambda frames, n: MANetEngine(frames, n, settings, network=network), sources.validation)


class _TrainingStep(ABC):
    """The clips of one step. Lists have an entry for each clip; ids of a clip are 0 (background) to its last object."""

    def __init__(self, objective: Objective, clips: list[ScribbledClip], random: np.random.Generator) -> None:
        network = objective.network
        assert isinstance(network, MANet)
        self.network, self.objective, self.scribbled, self.random = network, objective, clips, random
        self.batch = batch = Batch([scribbled.clip for scribbled in clips], objective.device)
        self.ids = [range(clip.num_objects + 1) for clip in batch.clips]
        self.row_clip = torch.tensor([b for b, ids in enumerate(self.ids) for _ in ids], device=objective.device)
        self.size = (-(-batch.size[0] // 4), -(-batch.size[1] // 4))  # of an embedding
        self.cells = on_grid(batch.labels, self.size)  # [B, T, h, w]
        self.means = RunningMeans(objective.keep, objective.overlap)

    @abstractmethod
    def play(self) -> Result:
        """Loss and figures of the step."""

    def _embed(self) -> Tensor:
        """All frames: [B, T, C, h, w]."""
        images = to_input(255 * self.batch.frames.flatten(0, 1)).contiguous(memory_format=torch.channels_last)
        with self._mixed():
            embeddings = self.network.embed(images)
        return embeddings.float().unflatten(0, self.batch.labels.shape[:2])

    def _propagate(self, embeddings: Tensor, maps: list[tuple[Tensor, Tensor]], before: list[Tensor]) -> list[Tensor]:
        """Logits [n, h, w] from embeddings [B, C, h, w], maps (G, L) and the labels [h, w] of the neighbour."""
        cues = [
            torch.stack((*pair, one_hot(labels, ids)), dim=1)
            for pair, labels, ids in zip(maps, before, self.ids, strict=True)
        ]
        return self._run(self.network.dynamic_seghead, embeddings, cues)

    def _run(self, head: nn.Module, embeddings: Tensor, cues: list[Tensor]) -> list[Tensor]:
        """Cues [n, k, h, w] -> logits [n, h, w]: all ids of all clips together, for the batch norms' sake."""
        with self._mixed():
            logits: Tensor = head(embeddings[self.row_clip], torch.cat(cues))
        return list(logits.float().split([len(ids) for ids in self.ids]))

    def _note(self, logits: list[Tensor], t: int, name: str) -> Tensor:
        """Take the loss against frame t at full size; the labels that were found, int64 [B, H, W]."""
        full = self._full(logits)
        self.means.add(name, full, list(self.batch.labels[:, t]))
        return torch.stack([part.argmax(0) for part in full])

    def _cells(self, embedding: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Embeddings [R, C] and ids [R] of the labelled cells, of each id at most CELLS."""
        cells, ids = labelled_cells(embedding, labels)
        order = torch.from_numpy(self.random.permutation(len(ids))).to(ids.device)
        chosen = torch.cat([order[ids[order] == id_][:CELLS] for id_ in torch.unique(ids)] or [order])
        return cells[chosen], ids[chosen]

    def _full(self, logits: list[Tensor]) -> list[Tensor]:
        """Logits [n, h, w] at the size of the frames, resized as in the engine."""
        return [F.interpolate(a[None], size=self.batch.size, mode="bilinear", align_corners=True)[0] for a in logits]

    def _on_cells(self, strokes: Strokes) -> Tensor:
        return self._raster(strokes, self.size)

    def _raster(self, strokes: Strokes, size: tuple[int, int]) -> Tensor:
        """int64 [h, w], -1 where nothing is drawn."""
        return torch.from_numpy(rasterise(strokes, *size).astype(np.int64)).to(self.objective.device)

    def _mixed(self) -> torch.autocast:
        return mixed(self.objective.device, self.objective.half)


class _Propagation(_TrainingStep):
    """The first stage."""

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
        """Labels [h, w] of the first frame, -1 where there is none."""
        if self.random.random() < self.objective.drawn:
            return rough_region(self._on_cells(self.scribbled[b].strokes), MemoryOptions.margin)
        truth = self.cells[b, 0]
        return torch.where(truth < len(self.ids[b]), truth, -1)

    def _before(self, t: int, found: Tensor) -> list[Tensor]:
        """Labels [h, w] of frame t, from which the next one is found; `found` [B, h, w] is what the network said."""
        worn = found if t else on_grid(self._damaged()[:, None], self.size)[:, 0]
        chosen = self.random.random(len(self.ids)) < self.objective.worn
        return [worn[b] if chosen[b] else self.cells[b, t] for b in range(len(self.ids))]

    def _damaged(self) -> Tensor:
        """The true labels of the first frame with outlines as they are after many frames: int64 [B, H, W]."""
        noise = torch.Generator().manual_seed(int(self.random.integers(1 << 62)))
        masks = damage(self.batch.own(self.batch.labels[:, 0]), noise)
        parts = [torch.cat((torch.full_like(part[:1], 0.5), part)).argmax(0) for part in self.batch.by_clip(masks)]
        return torch.stack(parts)


class _Interaction(_TrainingStep):
    """The second stage. What is frozen runs without gradients, its batch norms as they do in the engine."""

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
        """The labels that the interaction head finds, int64 [B, H, W]; where was drawn, what was drawn."""
        previous = on_grid(before[:, None], self.size)[:, 0]
        cues = [
            torch.stack((one_hot(self._on_cells(drawn), ids), one_hot(labels, ids)), dim=1)
            for drawn, labels, ids in zip(strokes, previous, self.ids, strict=True)
        ]
        found = self._note(self._run(self.network.inter_seghead, self.embeddings[:, frame], cues), frame, name)
        drawn = torch.stack([self._raster(one, self.batch.size) for one in strokes])
        return torch.where(drawn >= 0, drawn, found)

    @torch.no_grad()
    def _spread(self, frame: int, strokes: list[Strokes], found: Tensor, *, first: bool) -> Tensor:
        """The masks of all frames after the round, int64 [B, T, H, W]: `found` carried both ways."""
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
        """The global memory: of other frames the global map (equation 3), of this one its own map (equation 8)."""
        for e, memory, drawn, ids in zip(self.embeddings, self.memory, strokes, self.ids, strict=True):
            scribbles = self._on_cells(drawn)
            own = local_distances(e[frame], e[frame], scribbles, ids, self.network.config.window)
            reference = rough_region(scribbles, MemoryOptions.margin) if first else scribbles
            references = References(*self._cells(e[frame], reference))
            for t in range(self.batch.length):
                new = own if t == frame else references.distances(e[t], ids)
                memory[t] = torch.minimum(memory[t], new)

    def _correct(self, frame: int, masks: Tensor) -> tuple[int, list[Strokes]]:
        """Another frame, and strokes where its masks are wrong; of a clip that is right there are none."""
        others = [t for t in range(self.batch.length) if t != frame] or [frame]
        chosen = int(self.random.choice(others))
        wrong = masks[:, chosen].to(torch.uint8).cpu().numpy()
        strokes = [
            correcting_scribbles(self.random, clip.labels[chosen], wrong[b], clip.num_objects)
            for b, clip in enumerate(self.batch.clips)
        ]
        return chosen, strokes


STAGES: dict[str, type[_TrainingStep]] = {"propagation": _Propagation, "interaction": _Interaction}
