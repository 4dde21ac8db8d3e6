"""Trains MA-Net on clips (short sequences of frames with true masks), in the two stages of its paper (section 4.1).

Each stage is a separate run. `propagation` trains the embedding and the propagation head (here on clips with their
frames; see `trunk_propagation` for a backbone on the frozen trunk): the first frame of a clip is annotated, and each
other frame is segmented from the frame before it. `interaction` trains only the
interaction head, in rounds of scribbles: after each round the masks are propagated, and the next round corrects another
frame.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from segmentation.engine import EngineSettings
from segmentation.engines.manet.engine import MANetEngine
from segmentation.engines.manet.memory import MemoryOptions
from segmentation.engines.manet.network import MANet, MANetConfig, one_hot
from segmentation.engines.manet.rounds import rough_region
from segmentation.engines.manet.training_step import Result, StepOptions, Strokes, TrainingStep
from segmentation.engines.manet.trunk_propagation import TrunkPropagation
from segmentation.networks.matching import References, local_distances
from segmentation.networks.trunk_backbone import TrunkConfig
from segmentation.training.objectives.batch import Batch, on_grid
from segmentation.training.objectives.configs import read_config
from segmentation.training.objectives.warm_start import NormPlan, begin, hold_norms
from segmentation.training.plan import Plan
from segmentation.training.scribbled_clips import ScribbledClip, scribble
from segmentation.training.sources import Sources
from segmentation.training.stored_clips import ClipStore
from segmentation.training.synthetic_scribbles import correcting_scribbles
from segmentation.training.trunk_clips import clips_on_trunk, refuse_features
from segmentation.training.validation import validate, validate_given

ROUNDS = 3  # Number of rounds on each clip in the second stage (section 4.1).
SPREAD = 1.5  # Initial squared distance of the embeddings of unrelated pixels; above it, equation 1 is flat.
RECTIFIED = 0.68  # The mean squared distance of two positive parts of standard normal variables.


Step = Callable[[MANet, list[Any], StepOptions, np.random.Generator], TrainingStep]


class Objective:
    """The training objective of MA-Net. The table [objective] of a training plan sets its options.

    Args:
        plan: the training plan.
        device: the device on which the network is trained.
        stage: "propagation" or "interaction".
        keep: the share of pixels, those with the largest loss, that always count in the cross-entropy.
        overlap: the weight of (1 - soft J) in the loss.
        scribbled: the probability that the first frame is annotated by scribbles in a rough region, as in a first
            round, and not by its true mask.
        damaged: the probability that the mask of the previous frame is predicted or has random errors, instead of being
            the true mask.
        settle_norms: the share of the training after which batch norms use their running statistics; 0 = never.
        clips: the number of different clips in the first stage, if the backbone is the pretrained trunk.
        features: a folder in which the trunk's features of these clips are stored; None: they are not stored.
    """

    trunk_field = ("deeplab", "backbone", "name")  # where the network's configuration names the trunk
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
        clips: int = 1000,
        features: Path | None = None,
    ) -> None:
        if stage not in STAGES:
            raise ValueError(f"stage: unknown {stage!r}, known are {', '.join(STAGES)}")
        self.norms = NormPlan(settle=settle_norms)
        network = MANet(read_config(MANetConfig, plan.network))
        self.network: nn.Module = begin(network, self.norms, device=device)
        nn.init.constant_(network.bn2.weight, math.sqrt(SPREAD / (RECTIFIED * network.config.embedding)))
        self.parts = {"manet": self.network}
        self.device, self.stage = device, stage
        self.options = StepOptions(keep, overlap, scribbled, damaged)
        self.step: Step = STAGES[stage]
        self.prepare: Callable[..., Any] = scribble
        self.store: ClipStore | None = None
        backbone = network.config.deeplab.backbone
        if isinstance(backbone, TrunkConfig) and stage == "propagation":
            self.step = TrunkPropagation
            self.prepare, self.store = clips_on_trunk(plan, backbone.name, clips, features)
        else:
            refuse_features(plan, features)

    def loss(self, clips: list[Any], random: np.random.Generator) -> Result:
        network = self.network
        assert isinstance(network, MANet)
        hold_norms(network, self.norms, self.progress)
        return self.step(network, clips, replace(self.options, half=self.half), random).play()

    def validate(self, network: nn.Module, sources: Sources) -> dict[str, float]:
        """Return J&F on the validation videos.

        In the first stage, frames that are drawn on get their true masks, as the interaction head is not trained yet.
        """
        assert isinstance(network, MANet)
        settings = EngineSettings(device=str(self.device))
        judge = validate_given if self.stage == "propagation" else validate
        return judge(lambda frames, n: MANetEngine(frames, n, settings, network=network), sources.validation)


class _FrameStep(TrainingStep):
    """A training step on clips with their frames, which are embedded by the whole network."""

    def __init__(
        self, network: MANet, clips: list[ScribbledClip], options: StepOptions, random: np.random.Generator
    ) -> None:
        self.frames = Batch([scribbled.clip for scribbled in clips], next(network.parameters()).device)
        super().__init__(network, self.frames, options, random)
        self.scribbled = clips

    def _embed(self) -> Tensor:
        """Return the embeddings of all frames, [B, T, C, h, w]."""
        images = self.network.to_images(255 * self.frames.frames.flatten(0, 1))
        with self.mixed():
            embeddings = self.network.embed(images.contiguous(memory_format=torch.channels_last))
        return embeddings.float().unflatten(0, self.batch.labels.shape[:2])


class _Propagation(_FrameStep):
    """Computes the losses of a step of MA-Net's first stage, which trains the embedding and the propagation head."""

    def play(self) -> Result:
        embeddings = self._embed()
        references = [self.reference(b, self.cells[b, 0], drawn.strokes) for b, drawn in enumerate(self.scribbled)]
        found = self.cells[:, 0]
        for t in range(1, self.batch.length):
            before = self._before(t - 1, found)
            maps = [
                self.distance_maps(e[t], e[t - 1], self.annotated_cells(e[0], reference), labels, ids)
                for e, reference, labels, ids in zip(embeddings, references, before, self.ids, strict=True)
            ]
            logits = self.propagate(embeddings[:, t], maps, before)
            found = on_grid(self.note(logits, t, f"step_{t}")[:, None], self.size)[:, 0]
        return self.means.result()

    def _before(self, t: int, found: Tensor) -> list[Tensor]:
        """Return for each clip the mask [h, w] of frame t from which the next frame is segmented.

        It is the true mask, or, with the probability `damaged`, the predicted mask in `found` [B, h, w]. In frame 0,
        which has no predicted mask, that is a true mask with random errors.
        """
        worn = found if t else on_grid(self.damaged(0)[:, None], self.size)[:, 0]
        chosen = self.random.random(len(self.ids)) < self.options.damaged
        return [worn[b] if chosen[b] else self.cells[b, t] for b in range(len(self.ids))]


class _Interaction(_FrameStep):
    """A step of the second stage, which trains the interaction head.

    All other parts are frozen: they run without gradients, and their batch norms use the stored statistics.
    """

    def __init__(
        self, network: MANet, clips: list[ScribbledClip], options: StepOptions, random: np.random.Generator
    ) -> None:
        super().__init__(network, clips, options, random)
        for module in (network.feature_extracter, network.semantic_embedding, network.dynamic_seghead):
            module.eval()
        with torch.no_grad():
            self.embeddings = self._embed()
        self.memory = [torch.ones(self.batch.length, len(ids), *self.size, device=self.device) for ids in self.ids]

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
            torch.stack((one_hot(self.on_cells(drawn), ids), one_hot(labels, ids)), dim=1)
            for drawn, labels, ids in zip(strokes, previous, self.ids, strict=True)
        ]
        found = self.note(self.run(self.network.inter_seghead, self.embeddings[:, frame], cues), frame, name)
        drawn = torch.stack([self.raster(scribbles, self.batch.size) for scribbles in strokes])
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
                logits = self.full_size(self.propagate(self.embeddings[:, t], maps, before))
                masks[t] = torch.stack([part.argmax(0) for part in logits])
                t += step
        return torch.stack([masks[t] for t in range(self.batch.length)], dim=1)

    def _remember(self, frame: int, strokes: list[Strokes], *, first: bool) -> None:
        """Update the global memory of all frames with the scribbles of this round in `frame`.

        Other frames follow equation 3 of the MA-Net paper, this frame follows equation 8.
        """
        for e, memory, drawn, ids in zip(self.embeddings, self.memory, strokes, self.ids, strict=True):
            scribbles = self.on_cells(drawn)
            own = local_distances(e[frame], e[frame], scribbles, ids, self.network.config.window)
            reference = rough_region(scribbles, MemoryOptions.margin) if first else scribbles
            references = References(*self.annotated_cells(e[frame], reference))
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
            for b, clip in enumerate(self.frames.clips)
        ]
        return chosen, strokes


STAGES: dict[str, Step] = {"propagation": _Propagation, "interaction": _Interaction}
