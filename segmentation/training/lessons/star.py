"""STAR learns whole rounds: first scribbles, propagation, a correction on a wrong frame, propagation from both."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from segmentation.engine import EngineSettings
from segmentation.engines.star.engine import StarEngine
from segmentation.engines.star.network import Cues, Frame, Star, StarConfig, aggregate
from segmentation.engines.star.reading import Remembered, decode, labelled
from segmentation.training.clips import Clip
from segmentation.training.lessons.batch import Batch, hard
from segmentation.training.losses import bootstrapped_cross_entropy, soft_jaccard
from segmentation.training.plan import Plan
from segmentation.training.sources import Sources
from segmentation.training.strokes import correcting_scribbles, first_scribbles
from segmentation.training.validation import validate

GIVEN_MASK = 0.3  # probability that the annotated frame's true mask is remembered, as if a person had accepted it


class Lesson:
    """`plan.lesson` may set `keep` (fraction of the bootstrapped pixels)."""

    def __init__(self, plan: Plan, device: torch.device, keep: float = 0.25) -> None:
        self.network: nn.Module = Star(StarConfig(**_tuples(plan.network))).to(device)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.device, self.keep = device, keep

    def loss(self, clips: list[Clip], random: np.random.Generator) -> tuple[Tensor, dict[str, float]]:
        """One round, one correction: five decodings of every object."""
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda"):
            episode = _Episode(self, Batch(clips, self.device), random)
            return episode.play()

    def validate(self, network: nn.Module, sources: Sources) -> dict[str, float]:
        assert isinstance(network, Star)
        settings = EngineSettings(device=str(self.device))
        return validate(lambda frames, count: StarEngine(frames, count, settings, network=network), sources.validation)


class _Episode:
    """One step's clips, played through. Frame indices are those of the clip."""

    def __init__(self, lesson: Lesson, batch: Batch, random: np.random.Generator) -> None:
        network = lesson.network
        assert isinstance(network, Star)
        self.network, self.keep, self.batch, self.random = network, lesson.keep, batch, random
        self.encoded: Frame = network.encoder(batch.frames.flatten(0, 1).contiguous(memory_format=torch.channels_last))
        self.losses: list[Tensor] = []
        self.figures: dict[str, float] = {}

    def play(self) -> tuple[Tensor, dict[str, float]]:
        batch, random = self.batch, self.random
        size = batch.labels.shape[-2:]
        nothing = torch.zeros(len(batch.clip), *size, device=batch.labels.device)
        positive, negative = batch.scribbles(lambda b, c: first_scribbles(random, c.labels[0], c.num_objects))
        drawn = Cues(nothing, nothing, positive, negative)
        masks, _ = self._decode(0, [], drawn, self._memorize(0, drawn, trusted=False), "first")
        if random.random() < GIVEN_MASK:
            masks = batch.own(batch.labels[:, 0])
        first = self._memorize(0, Cues(masks, batch.others(masks), positive, negative), trusted=True)
        after, found, memory = {}, {}, [first]
        for t in range(1, batch.length):  # propagation: the annotated frame and the one before
            masks, found[t] = self._decode(t, memory, Cues(masks, batch.others(masks), nothing, nothing), None, "next")
            after[t] = masks
            if t + 1 < batch.length:
                memory = [first, self._memorize(t, Cues(masks, batch.others(masks), nothing, nothing), trusted=False)]
        self._correct(first, after, found, nothing)
        return torch.stack(self.losses).mean(), self.figures

    def _correct(
        self, first: Remembered, after: dict[int, Tensor], found: dict[int, list[Tensor]], nothing: Tensor
    ) -> None:
        """Scribbles where a propagated frame is wrong; it must become right, and help the frame beside it."""
        batch = self.batch
        t = int(self.random.integers(1, batch.length))
        wrong = hard(found[t])
        positive, negative = batch.scribbles(
            lambda b, c: correcting_scribbles(self.random, c.labels[t], wrong[b], c.num_objects)
        )
        cues = Cues(after[t], batch.others(after[t]), positive, negative)
        masks, _ = self._decode(t, [first], cues, self._memorize(t, cues, trusted=False), "corrected")
        second = self._memorize(t, Cues(masks, batch.others(masks), positive, negative), trusted=True)
        other = t - 1 if t > 1 else t + 1
        if other < batch.length:
            cues = Cues(masks, batch.others(masks), nothing, nothing)
            self._decode(other, [first, second], cues, None, "between")

    def _frame(self, t: int) -> Frame:
        """Frame t of every pair's clip."""
        return self.encoded.take(self.batch.clip * self.batch.length + t)

    def _memorize(self, t: int, cues: Cues, *, trusted: bool) -> Remembered:
        frame = self._frame(t)
        target, weight = labelled(cues, trusted=trusted)
        return Remembered(frame.key, self.network.memorizer(frame.p8, cues), frame.pixels, target, weight)

    def _decode(
        self, t: int, memory: list[Remembered], cues: Cues, own: Remembered | None, name: str
    ) -> tuple[Tensor, list[Tensor]]:
        """Masks of all pairs [N, H, W] (detached), and each clip's aggregated logits; the loss is noted."""
        logits = decode(self.network, self._frame(t), [*memory, *([own] if own else [])], cues)
        whole = F.interpolate(logits[:, None].float(), scale_factor=2, mode="bilinear", align_corners=False)[:, 0]
        each = [aggregate(part) for part in self.batch.by_clip(whole)]
        labels = self.batch.labels[:, t]
        cross = torch.stack([bootstrapped_cross_entropy(a, y, self.keep) for a, y in zip(each, labels, strict=True)])
        overlap = torch.stack([soft_jaccard(a, y) for a, y in zip(each, labels, strict=True)]).mean()
        self.losses.append(cross.mean() + overlap)
        self.figures[f"j_{name}"] = 1 - float(overlap.detach())
        masks = torch.cat([torch.softmax(a, dim=0)[1:] for a in each])
        return masks.detach(), each


def _tuples(values: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
