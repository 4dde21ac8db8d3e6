"""Trains STAR to refine propagated masks with the help of one or two annotated frames, as it does in a round."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from segmentation.engine import EngineSettings
from segmentation.engines.star.engine import StarEngine
from segmentation.engines.star.memory import MemoryFrame, decode, encode_memory
from segmentation.engines.star.network import Cues, Frame, Star, StarConfig, aggregate
from segmentation.scribbles import rasterise
from segmentation.training.clips import Clip
from segmentation.training.losses import bootstrapped_cross_entropy, soft_jaccard
from segmentation.training.objectives.batch import Batch, damage
from segmentation.training.objectives.warm_start import NormPlan, hold_norms
from segmentation.training.plan import Plan
from segmentation.training.precision import mixed
from segmentation.training.recorded_clips import RecordedClips
from segmentation.training.sources import Sources
from segmentation.training.star_clips import StarClip, draw
from segmentation.training.validation import validate

GIVEN_MASK = 0.2  # probability that the memory holds the true masks of the annotated frames
NOISE = 0.7  # probability that a synthetic guess is damaged, since clips are too short for large errors
RECORDED = 0.65  # probability that a sample comes from a recording, where recordings are given
BOTH = 0.5  # weight of the loss of the mean of guess and output, which is what the engine shows


class Objective:
    """`plan.objective` may set `keep` (fraction of the bootstrapped pixels) and `settle_norms` (see `NormPlan`).

    `recordings` are recorded propagations to train on as well; None for none.
    """

    half = False  # set from outside, like `progress`
    progress = 0.0

    def __init__(
        self,
        plan: Plan,
        device: torch.device,
        keep: float = 0.25,
        settle_norms: float = 0.0,
        recordings: RecordedClips | None = None,
    ) -> None:
        self.network: nn.Module = Star(StarConfig(**_tuples(plan.network))).to(device)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.parts = {"star": self.network}
        self.device, self.keep, self.norms, self.recordings = device, keep, NormPlan(settle=settle_norms), recordings

    def prepare(self, clip: Clip, random: np.random.Generator) -> StarClip:
        """Make a training sample of `clip`, or, with probability RECORDED, replace it by one of a recording."""
        if self.recordings is not None and random.random() < RECORDED:
            return self.recordings.draw(random, len(clip.frames), clip.labels.shape[1:])
        return draw(clip, random)

    def loss(self, clips: list[StarClip], random: np.random.Generator) -> tuple[Tensor, dict[str, float]]:
        """Return the loss over all objects in the frames without annotation, and figures for the log."""
        hold_norms(self.network, self.norms, self.progress)
        with mixed(self.device, self.half):
            return _TrainingStep(self, clips, random).play()

    def validate(self, network: nn.Module, sources: Sources) -> dict[str, float]:
        assert isinstance(network, Star)
        settings = EngineSettings(device=str(self.device))
        return validate(lambda frames, count: StarEngine(frames, count, settings, network=network), sources.validation)


class _TrainingStep:
    """Computes the loss of one step. Frames are counted in the clip; the first two are annotated."""

    def __init__(self, objective: Objective, clips: list[StarClip], random: np.random.Generator) -> None:
        network = objective.network
        assert isinstance(network, Star)
        self.network, self.keep, self.drawn, self.random = network, objective.keep, clips, random
        self.batch = batch = Batch([drawn.clip for drawn in clips], objective.device)
        self.noise = torch.Generator().manual_seed(int(random.integers(1 << 62)))
        pixel_features = (
            torch.from_numpy(np.concatenate([drawn.pixel_features for drawn in clips])).to(objective.device).float()
        )
        frames = batch.frames.flatten(0, 1).contiguous(memory_format=torch.channels_last)
        self.encoded: Frame = network.encoder(frames, pixel_features)
        self.nothing = torch.zeros(len(batch.clip), *batch.labels.shape[-2:], device=objective.device)
        made_up = torch.tensor([not drawn.recorded for drawn in clips], device=objective.device)
        self.made_up = made_up[batch.clip, None, None]
        pairs = zip(batch.clip.tolist(), batch.number.tolist(), strict=True)
        guess = np.stack([clips[clip].guess[:, number - 1] for clip, number in pairs])
        self.guess = torch.from_numpy(guess).to(objective.device).float() / 255  # [N, T, H, W]
        self.offset = [int(i) for i in random.integers(2, size=2)]
        self.losses: list[Tensor] = []
        self.figures: dict[str, list[float]] = {}

    def play(self) -> tuple[Tensor, dict[str, float]]:
        given = self.random.random() < GIVEN_MASK
        memory = [self._memorize(t, given=given) for t in (0, 1)]
        for t in range(2, self.batch.length):
            self._decode(t, memory)
        figures = {key: sum(values) / len(values) for key, values in self.figures.items()}
        return torch.stack(self.losses).mean(), figures

    def _memorize(self, t: int, *, given: bool) -> MemoryFrame:
        batch = self.batch
        masks = batch.own(batch.labels[:, t]) if given else self.guess[:, t]
        positive, negative = batch.scribbles([rasterise(drawn.strokes[t], *batch.size) for drawn in self.drawn])
        cues = self._cues(masks, positive, negative)
        return encode_memory(self.network, self._frame(t), cues, batch.clip)

    def _cues(self, masks: Tensor, positive: Tensor, negative: Tensor) -> Cues:
        return Cues(masks, self.batch.others(masks), torch.ones_like(masks), positive, negative)

    def _frame(self, t: int) -> Frame:
        """Return the features of frame t of every clip."""
        return self.encoded.take(torch.arange(len(self.drawn), device=self.nothing.device) * self.batch.length + t)

    def _decode(self, t: int, memory: list[MemoryFrame]) -> None:
        """Add the loss of frame t.

        It is computed at half the size, the size of the output, against one of four pixels of the ground truth. Which
        pixel changes from step to step, so that no direction is preferred.
        """
        batch, guess = self.batch, self.guess[:, t]
        worn = self.made_up & (torch.rand(len(guess), 1, 1, generator=self.noise).to(guess.device) < NOISE)
        guess = torch.where(worn, damage(guess, self.noise), guess)
        cues = self._cues(guess, self.nothing, self.nothing)
        logits = decode(self.network, self._frame(t), memory, cues, batch.clip)
        each = [aggregate(part.float()) for part in batch.by_clip(logits)]
        labels = batch.labels[:, t, self.offset[0] :: 2, self.offset[1] :: 2]
        before = batch.by_clip(guess[:, self.offset[0] :: 2, self.offset[1] :: 2])
        self._note("next", each, labels)
        halves = [_half_of(logits_, masks) for logits_, masks in zip(each, before, strict=True)]
        self._note("both", halves, labels, BOTH)
        self.figures.setdefault("j_before", []).append(float(_jaccard([_log(masks) for masks in before], labels)))

    def _note(self, name: str, logits: list[Tensor], labels: Tensor, weight: float = 1.0) -> None:
        pairs = list(zip(logits, labels, strict=True))
        cross = torch.stack([bootstrapped_cross_entropy(a, y, self.keep) for a, y in pairs]).mean()
        overlap = _jaccard(logits, labels)
        self.losses.append(weight * (cross + 1 - overlap))
        self.figures.setdefault(f"j_{name}", []).append(float(overlap.detach()))


def _jaccard(logits: list[Tensor], labels: Tensor) -> Tensor:
    return 1 - torch.stack([soft_jaccard(a, y) for a, y in zip(logits, labels, strict=True)]).mean()


def _log(masks: Tensor) -> Tensor:
    """Convert masks [n, h, w] of a clip to logits [n + 1, h, w], background first."""
    background = (1 - masks.sum(dim=0, keepdim=True)).clamp_min(0)
    return torch.cat([background, masks]).clamp_min(1e-3).log()


def _half_of(logits: Tensor, masks: Tensor) -> Tensor:
    """Return the logits of the mean of the output (logits [n + 1, h, w]) and the guess (masks [n, h, w])."""
    answer = torch.softmax(logits, dim=0)
    return ((answer + torch.softmax(_log(masks), dim=0)) / 2).clamp_min(1e-4).log()


def _tuples(values: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
