"""STAR learns whole rounds: first scribbles, propagation, a correction on a wrong frame, propagation from both."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from segmentation.engine import EngineSettings
from segmentation.engines.star.engine import StarEngine
from segmentation.engines.star.network import Cues, Frame, Star, StarConfig, aggregate
from segmentation.engines.star.reading import Remembered, carry, decode, remember
from segmentation.scribbles import NO_SCRIBBLE, Raster, rasterise
from segmentation.training.clips import Clip
from segmentation.training.drawn import DrawnClip, draw
from segmentation.training.lessons.batch import Batch, damage, hard
from segmentation.training.losses import bootstrapped_cross_entropy, soft_jaccard
from segmentation.training.plan import Plan
from segmentation.training.sources import Sources
from segmentation.training.strokes import correcting_scribbles
from segmentation.training.validation import validate
from segmentation.training.walk_clips import WalkClips

GIVEN_MASK = 0.3  # probability that the annotated frame's true mask is remembered, as if a person had accepted it
NO_CUT = 0.15  # that the first scribbles come without GrabCut's mask: it is often wrong, and must not be leaned on
LOST = 0.08  # that a mask that was carried along is lost, as behind an occlusion
NOISE = 0.35  # that it is bent and eaten at, as after many frames
WALKED = 0.75  # that a clip is one of a walk, where some are recorded
FIXED = 0.6  # that classical vision has mended what is wrong near a correcting stroke


class Lesson:
    """`plan.lesson` may set `keep` (fraction of the bootstrapped pixels); `walks` are recorded ones, if any."""

    def __init__(self, plan: Plan, device: torch.device, keep: float = 0.25, walks: WalkClips | None = None) -> None:
        self.network: nn.Module = Star(StarConfig(**_tuples(plan.network))).to(device)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.parts = {"star": self.network}
        self.device, self.keep, self.walks = device, keep, walks

    def prepare(self, clip: Clip, random: np.random.Generator) -> DrawnClip:
        """The clip with all that needs no learning; most times, if there are walks, a clip of one of them instead."""
        if self.walks is not None and random.random() < WALKED:
            return self.walks.draw(random, len(clip.frames), clip.labels.shape[1:])
        return draw(clip, random)

    def loss(self, clips: list[DrawnClip], random: np.random.Generator) -> tuple[Tensor, dict[str, float]]:
        """One round, one correction: five decodings of every object in clips of three frames."""
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda"):
            return _Episode(self, clips, random).play()

    def validate(self, network: nn.Module, sources: Sources) -> dict[str, float]:
        assert isinstance(network, Star)
        settings = EngineSettings(device=str(self.device))
        return validate(lambda frames, count: StarEngine(frames, count, settings, network=network), sources.validation)


class _Episode:
    """One step's clips, played through. Frame indices are those of the clip."""

    def __init__(self, lesson: Lesson, clips: list[DrawnClip], random: np.random.Generator) -> None:
        network = lesson.network
        assert isinstance(network, Star)
        self.network, self.keep, self.drawn, self.random = network, lesson.keep, clips, random
        self.batch = batch = Batch([drawn.clip for drawn in clips], lesson.device)
        self.noise = torch.Generator().manual_seed(int(random.integers(1 << 62)))
        back = torch.from_numpy(np.stack([drawn.back for drawn in clips])).to(lesson.device)
        trust = torch.from_numpy(np.stack([drawn.trust for drawn in clips])).to(lesson.device)
        self.back, self.trust = back.float(), trust.float() / 255
        looks = torch.from_numpy(np.concatenate([drawn.looks for drawn in clips])).to(lesson.device).float()
        frames = batch.frames.flatten(0, 1).contiguous(memory_format=torch.channels_last)
        self.encoded: Frame = network.encoder(frames, looks)
        self.nothing = torch.zeros(len(batch.clip), *batch.labels.shape[-2:], device=lesson.device)
        self.walked = torch.tensor([drawn.guess is not None for drawn in clips], device=lesson.device)[batch.clip]
        self.walked = self.walked[:, None, None]
        self._guess = self._guesses()
        self.offset = [int(i) for i in random.integers(2, size=2)]
        self.losses: list[Tensor] = []
        self.figures: dict[str, float] = {}

    def _guesses(self) -> Tensor:
        """What walks found of every pair [N, T, H, W]; zeros where there was none."""
        empty = np.zeros((self.batch.length, *self.batch.size), np.uint8)
        pairs = zip(self.batch.clip.tolist(), self.batch.number.tolist(), strict=True)
        guesses = [(self.drawn[clip].guess, number - 1) for clip, number in pairs]
        found = np.stack([empty if guess is None else guess[:, row] for guess, row in guesses])
        return torch.from_numpy(found).to(self.nothing.device).float() / 255

    def play(self) -> tuple[Tensor, dict[str, float]]:
        batch, random = self.batch, self.random
        positive, negative = batch.scribbles([rasterise(c.strokes, *batch.size) for c in self.drawn])
        cues = self._cues(self._cut(), positive, negative)
        masks, _ = self._decode(0, [], cues, self._memorize(0, cues, trusted=False), "first")
        if random.random() < GIVEN_MASK:
            masks = batch.own(batch.labels[:, 0])
        first = self._memorize(0, self._cues(masks, positive, negative), trusted=True)
        after, found = {}, {}
        for t in range(1, batch.length):
            after[t], found[t] = self._decode(t, [first], self._carried(masks, t - 1, t), None, "next")
            masks = after[t]
        self._correct(first, after, found)
        return torch.stack(self.losses).mean(), self.figures

    def _correct(self, first: Remembered, after: dict[int, Tensor], found: dict[int, list[Tensor]]) -> None:
        """Scribbles where a propagated frame is wrong; it must become right, and help the frame beside it."""
        batch = self.batch
        t = int(self.random.integers(1, batch.length))
        wrong = hard(found[t])
        strokes = [
            correcting_scribbles(self.random, clip.labels[t], wrong[b], clip.num_objects)
            for b, clip in enumerate(batch.clips)
        ]
        rasters = [rasterise(drawn, *batch.size) for drawn in strokes]
        positive, negative = batch.scribbles(rasters)
        cues = self._cues(self._mended(after[t], t, rasters), positive, negative)
        masks, _ = self._decode(t, [first], cues, self._memorize(t, cues, trusted=False), "corrected")
        second = self._memorize(t, self._cues(masks, positive, negative), trusted=True)
        other = t - 1 if t > 1 else t + 1
        if other < batch.length:
            self._decode(other, [first, second], self._carried(masks, t, other), None, "between")

    def _cut(self) -> Tensor:
        """The masks that the first frame is refined from: GrabCut's, or the true ones made worse, or none."""
        batch = self.batch
        truth = batch.own(batch.labels[:, 0])
        made = [np.zeros(batch.size, np.uint8) if drawn.cut is None else drawn.cut for drawn in self.drawn]
        cut = batch.own(torch.from_numpy(np.stack(made)).to(truth.device))
        missing = torch.tensor([drawn.cut is None for drawn in self.drawn], device=truth.device)
        cut = torch.where(missing[batch.clip, None, None], damage(truth, self.noise), cut)
        kept = torch.from_numpy(self.random.random(len(self.drawn)) >= NO_CUT).to(truth.device)
        return cut * kept[batch.clip, None, None]

    def _cues(self, masks: Tensor, positive: Tensor, negative: Tensor) -> Cues:
        return Cues(masks, self.batch.others(masks), torch.ones_like(masks), positive, negative)

    def _carried(self, masks: Tensor, start: int, to: int) -> Cues:
        """Masks of frame `start` moved along the flow to its neighbour `to`, now and then made worse on the way."""
        t, way = (start, 0) if to > start else (to, 1)
        back, trust = self.back[self.batch.clip, t, way], self.trust[self.batch.clip, t, way]
        moved = torch.where(self.walked, self._guess[:, to], carry(masks, back))
        chance = torch.rand(len(moved), 1, 1, generator=self.noise).to(moved.device)
        made_up = ~self.walked  # what a walk found is wrong enough as it is
        moved = torch.where(made_up & (chance < NOISE), damage(moved, self.noise), moved)
        moved = torch.where(made_up & (chance > 1 - LOST), torch.zeros_like(moved), moved)
        return Cues(moved, self.batch.others(moved), trust, self.nothing, self.nothing)

    def _mended(self, masks: Tensor, t: int, rasters: list[Raster]) -> Tensor:
        """What a correction is refined from: the mask it had, in most clips right again around the strokes."""
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * int(self.random.integers(2, 20)) + 1,) * 2)
        near = np.stack([cv2.dilate((raster != NO_SCRIBBLE).astype(np.uint8), disc) for raster in rasters])
        near[self.random.random(len(near)) >= FIXED] = 0
        where = torch.from_numpy(near).to(masks.device)[self.batch.clip] > 0
        return torch.where(where, self.batch.own(self.batch.labels[:, t]), masks)

    def _frame(self, t: int) -> Frame:
        """Frame t of every clip."""
        return self.encoded.take(torch.arange(len(self.drawn), device=self.nothing.device) * self.batch.length + t)

    def _memorize(self, t: int, cues: Cues, *, trusted: bool) -> Remembered:
        return remember(self.network, self._frame(t), cues, self.batch.clip, trusted=trusted)

    def _decode(
        self, t: int, memory: list[Remembered], cues: Cues, own: Remembered | None, name: str
    ) -> tuple[Tensor, list[Tensor]]:
        """Masks of all pairs [N, H, W] (detached), and each clip's probabilities [n + 1, H, W]; the loss is noted.

        The loss is taken at half the size, where the network answers, against one pixel of each four: which one
        changes from step to step, so that no side is favoured.
        """
        logits = decode(self.network, self._frame(t), [*memory, *([own] if own else [])], cues, self.batch.clip)
        each = [aggregate(part.float()) for part in self.batch.by_clip(logits)]
        labels = self.batch.labels[:, t, self.offset[0] :: 2, self.offset[1] :: 2]
        cross = torch.stack([bootstrapped_cross_entropy(a, y, self.keep) for a, y in zip(each, labels, strict=True)])
        overlap = torch.stack([soft_jaccard(a, y) for a, y in zip(each, labels, strict=True)]).mean()
        self.losses.append(cross.mean() + overlap)
        self.figures[f"j_{name}"] = 1 - float(overlap.detach())
        found = [whole(torch.softmax(a.detach(), dim=0)) for a in each]
        return torch.cat([part[1:] for part in found]), found


def whole(half: Tensor) -> Tensor:
    """Maps [N, H/2, W/2] at the full size."""
    return F.interpolate(half[:, None], scale_factor=2, mode="bilinear", align_corners=False)[:, 0]


def _tuples(values: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
