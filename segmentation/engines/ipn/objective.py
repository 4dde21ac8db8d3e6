"""Trains both networks of IPN together, on clips (short sequences of frames with true masks).

On each clip the networks run a few rounds as in a session: an interaction, then propagation forward and backward. Each
network thereby gets the masks that the other network really computes. Gradients do not pass through these masks, but
those of the propagation do reach the interaction network through the reference feature.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from segmentation.engine import EngineSettings
from segmentation.engines.ipn.engine import IPNEngine, joined
from segmentation.engines.ipn.fusion import round_weight
from segmentation.engines.ipn.network import Estimate, Inet, IPNConfig, Pnet
from segmentation.training.objectives.batch import Batch, damage
from segmentation.training.objectives.configs import read_config
from segmentation.training.objectives.cues import correcting_cues, cues_of_pairs
from segmentation.training.objectives.running_means import RunningMeans
from segmentation.training.objectives.warm_start import NormPlan, begin, hold_norms
from segmentation.training.plan import Plan
from segmentation.training.precision import mixed
from segmentation.training.scribbled_clips import ScribbledClip, scribble
from segmentation.training.sources import Sources
from segmentation.training.validation import validate, validate_given
from segmentation.types import IGNORE

DRIFT = 0.25  # Probability that a mask gets random errors before it is propagated, like those in long videos.
INET, PNET = "ipn-inet", "ipn-pnet"  # The names of the two checkpoints, whose networks are trained together.


class Objective:
    """The training objective of IPN. The table [objective] of a training plan sets its options.

    Args:
        plan: the training plan.
        device: the device on which the networks are trained.
        frozen_norms: whether batch norms stay fixed.
        settle_norms: the share of the training after which batch norms use their running statistics; 0 = never.
        body: the path of pretrained weights, or "" for random weights.
        rounds: the number of rounds on each clip.
        keep: the share of pixels, those with the largest loss, that always count in the cross-entropy.
        overlap: the weight of (1 - soft J) in the loss.
        given_masks: the probability that an annotated frame gets its true mask, as if the cutter had segmented it.
        sides: the weight of the losses of the coarser logits.
    """

    prepare = staticmethod(scribble)
    half = False  # Whether to train in half precision. The training loop sets it and `progress`.
    progress = 0.0  # The share of the training that is done, 0..1.

    def __init__(
        self,
        plan: Plan,
        device: torch.device,
        frozen_norms: bool = False,
        settle_norms: float = 0.0,
        body: str = "",
        rounds: int = 2,
        keep: float = 0.3,
        overlap: float = 1.0,
        sides: float = 0.2,
        given_masks: float = 0.3,
    ) -> None:
        config = read_config(IPNConfig, plan.network)
        self.parts: dict[str, nn.Module] = {INET: Inet(config), PNET: Pnet(config)}
        self.norms = NormPlan(frozen_norms, settle_norms)
        self.network: nn.Module = begin(nn.ModuleDict(self.parts), self.norms, body, device)
        self.device, self.rounds = device, rounds
        self.keep, self.overlap, self.sides, self.given_masks = keep, overlap, sides, given_masks

    def loss(self, clips: list[ScribbledClip], random: np.random.Generator) -> tuple[Tensor, dict[str, float]]:
        hold_norms(self.network, self.norms, self.progress)
        means = RunningMeans(self.keep, self.overlap)
        with mixed(self.device, self.half):
            batch = Batch([drawn.clip for drawn in clips], self.device)
            _TrainingStep(_networks(self.network), batch, means, self.sides, self.given_masks, random).play(
                clips, self.rounds
            )
        return means.result()

    def validate(self, network: nn.Module, sources: Sources) -> dict[str, float]:
        settings, networks = EngineSettings(device=str(self.device)), _networks(network)
        judge = validate_given if self.given_masks > 0.5 else validate  # Validate as most rounds train.
        return judge(lambda frames, n: IPNEngine(frames, n, settings, networks=networks), sources.validation)


class _Known(NamedTuple):
    """The results of the earlier rounds on a clip of T frames, for N objects.

    They are the probability maps `masks` [T, N, H, W], the aggregated reference features (None before the first round)
    and the annotated `frames`.
    """

    masks: Tensor
    reference: Tensor | None
    frames: tuple[int, ...]


class _TrainingStep:
    """A training step: runs the rounds on several clips at once. `t` is the index of a frame in its clip."""

    def __init__(
        self,
        networks: tuple[Inet, Pnet],
        batch: Batch,
        means: RunningMeans,
        sides: float,
        given_masks: float,
        random: np.random.Generator,
    ) -> None:
        self.inet, self.pnet = networks
        self.batch, self.means, self.sides, self.given_masks, self.random = batch, means, sides, given_masks, random
        self.noise = torch.Generator().manual_seed(int(random.integers(1 << 62)))

    def play(self, clips: list[ScribbledClip], rounds: int) -> None:
        batch = self.batch
        nothing = torch.zeros(batch.length, len(batch.clip), *batch.size, device=batch.labels.device)
        cues = cues_of_pairs(batch, [drawn.strokes for drawn in clips])
        known = self._round(0, cues, _Known(nothing, None, ()))
        for _ in range(1, rounds):
            t = int(self.random.integers(batch.length))
            cues = correcting_cues(batch, t, known.masks[t], self.random)
            known = self._round(t, cues, known)

    def _round(self, t: int, cues: Tensor, known: _Known) -> _Known:
        """Run a round on all clips: an interaction in frame t, then propagation up to frames annotated before.

        `cues` [N, 2, H, W] are the positive and negative scribbles of each object in frame t, `known` the results of
        earlier rounds. Return the results with those of this round.
        """
        given = self.batch.own(self.batch.labels[:, t]) if self.random.random() < self.given_masks else None
        estimate = self.inet(self._frame(t), known.masks[t] if given is None else given, *cues.unbind(1))
        found = self._noted(estimate, t, "given" if given is not None else "corrected" if known.frames else "first")
        found = found if given is None else given
        reference = self.pnet.aggregate(known.reference, estimate.reference)
        masks = known.masks.clone()
        masks[t] = found
        weight = round_weight(t, known.frames, self.batch.length)
        for way in (1, -1):
            neighbour = found
            for u in _until_zero(t, way, weight):
                if self.random.random() < DRIFT:
                    neighbour = damage(neighbour, self.noise)
                estimate = self.pnet(self._frame(u), reference, known.masks[u], neighbour.round())
                neighbour = self._noted(estimate, u, "later" if known.frames else "next")
                masks[u] = weight[u] * neighbour + (1 - weight[u]) * known.masks[u]
        return _Known(masks, reference, (*known.frames, t))

    def _frame(self, t: int) -> Tensor:
        """Return frame t of the clip of each of the N objects, [N, 3, H, W]."""
        return self.batch.frames[self.batch.clip, t]

    def _noted(self, estimate: Estimate, t: int, name: str) -> Tensor:
        """Add the losses of frame t at all scales, and return its probability maps [N, H, W].

        They are aggregated, so that the objects of a clip compete for each pixel. `name` is the name of the loss in the
        figures.
        """
        labels = list(self._labels(estimate, t))
        full, _, *coarser = estimate.logits  # The second are the first before upsampling, so they are left out.
        self.means.add(name, list(full.float()), labels)
        for logits in coarser:
            enlarged = F.interpolate(logits.float(), size=full.shape[-2:], mode="bilinear", align_corners=True)
            self.means.add_side(list(enlarged), labels, self.sides)
        return torch.cat([joined(part) for part in self.batch.by_clip(estimate.probability.detach())])

    def _labels(self, estimate: Estimate, t: int) -> Tensor:
        """Return the true mask of each object in its region, uint8 [N, s, s]: 1 for the object, 0 for all else.

        255 (ignore) marks pixels that are unknown or outside the frame.
        """
        labels = self.batch.labels[:, t]
        known = (labels != IGNORE)[self.batch.clip].float()
        sampled = estimate.region.sample(torch.stack([self.batch.own(labels), known], dim=1))  # [N, 2, s, s]
        inside = (sampled[:, 0] >= 0.5).to(torch.uint8)
        return torch.where(sampled[:, 1] >= 0.5, inside, IGNORE)


def _until_zero(t: int, way: int, weight: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> list[int]:
    """Return the frames after frame t in the direction `way` (1 or -1), before the first in which `weight` is 0."""
    frames = range(t + 1, len(weight)) if way > 0 else range(t - 1, -1, -1)
    stop = next((i for i, u in enumerate(frames) if weight[u] == 0), len(frames))
    return list(frames[:stop])


def _networks(network: nn.Module) -> tuple[Inet, Pnet]:
    assert isinstance(network, nn.ModuleDict)
    inet, pnet = network[INET], network[PNET]
    assert isinstance(inet, Inet)
    assert isinstance(pnet, Pnet)
    return inet, pnet
