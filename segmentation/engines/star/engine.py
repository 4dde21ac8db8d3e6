"""STAR as an engine. Its state is what was drawn and the hard masks of the rounds: a rebuilt session is a kept one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from segmentation.device import choose_device
from segmentation.engine import Engine, outward
from segmentation.engines.star.network import STRIDE, Cues, Frame, Star, aggregate
from segmentation.engines.star.reading import Remembered, decode, labelled
from segmentation.feature_cache import FeatureCache
from segmentation.internal_size import internal_size, resized_frame
from segmentation.networks.labelling import confidences
from segmentation.round_labels import RoundLabels, to_cells
from segmentation.scribbles import dilate, rasterise
from segmentation.types import Interaction, LabelMap, MaskUpdate, PastRound, Scribble

LINES, COLUMNS = 288, 512  # what a frame is fitted into: two CPU cores encode it in a tenth of a second
MEMORY_FRAMES = 6  # annotated frames that are read for a frame: the nearest in time
ABSENT = -12.0  # logit of an object that nobody has drawn yet
PARTS = Frame._fields


@dataclass
class _Annotated:
    """A frame that was drawn on: all strokes of all rounds. Its mask is the newest one that was stored."""

    strokes: list[Scribble]


class StarEngine(Engine):
    """A session of STAR.

    Options:
        network: a network that is already loaded (training validates the one it trains).
    """

    name = "star"

    def _setup(self, network: Star | None = None) -> None:
        self._device = choose_device(self.settings.device)
        if network is None:
            raise ValueError("network: STAR has no weights of its own yet; give a network")
        self._network = network.eval()
        fit = internal_size(self.frames.height, self.frames.width, (LINES, COLUMNS), self.settings.max_side)
        self._size = tuple(-(-side // STRIDE) * STRIDE for side in fit)  # stretched by less than a cell
        self._encoded = FeatureCache(self.settings.memory_bytes, self.settings.cache_dir)
        self._annotated: dict[int, _Annotated] = {}
        self._rounds: list[RoundLabels] = []

    def close(self) -> None:
        self._encoded.close()

    # --- rounds ---------------------------------------------------------------------------------------------------

    def _restore(self, past: PastRound) -> None:
        self._note(past.interaction)
        self._rounds.append(RoundLabels(self._grid, past.labels))

    def _note(self, interaction: Interaction) -> None:
        annotated = self._annotated.setdefault(interaction.frame, _Annotated([]))
        annotated.strokes.extend(interaction.scribbles)

    @torch.inference_mode()
    def _run(self, interaction: Interaction) -> Iterator[MaskUpdate]:
        before = self._labels(interaction.frame)
        stops = self._stops(interaction)
        self._note(interaction)
        labels = RoundLabels(self._grid)
        self._rounds.append(labels)
        near: dict[bool, Tensor | None] = {}
        for frame in outward(interaction.frame, len(self.frames)):
            later = frame > interaction.frame
            found: Tensor | None
            if frame == interaction.frame:
                found = self._given(frame) if frame in self.locked else self._interact(frame, before)
                near = {True: found, False: found}
            else:
                found = near[later] = self._beyond(frame, near[later], stops)
            if found is not None and frame not in self.locked:
                update = self._update(frame, found)
                labels[frame] = to_cells(update.labels, self._grid)
                yield update

    def _stops(self, interaction: Interaction) -> frozenset[int]:
        """Annotated frames at which this round ends, since what lies behind them is nearer to them than to it.

        There are none as long as a frame has no mask, or when an object is drawn for the first time: it is new in
        every frame.
        """
        drawn = torch.zeros(self.num_objects + 1, dtype=torch.bool, device=self._device)
        drawn[[stroke.object_id for stroke in interaction.scribbles]] = True
        news = (drawn[1:] & ~self._known()).any()
        if news or not all(self._has_mask(frame) for frame in range(len(self.frames))):
            return frozenset()
        return frozenset(frame for frame in (*self._annotated, *self.locked) if frame != interaction.frame)

    def _beyond(self, frame: int, near: Tensor | None, stops: frozenset[int]) -> Tensor | None:
        """The next frame on one side, from what was found beside it; None behind a frame where the round ends."""
        if near is None or frame in stops:
            return None
        if frame in self.locked:
            return self._given(frame)
        if frame in self._annotated:
            return self._interact(frame, self._labels(frame))
        return self._propagate(frame, near)

    def _interact(self, frame: int, before: Tensor | None) -> Tensor:
        """Probabilities [n + 1, H, W] of the frame that was drawn on; it is a memory frame of its own."""
        masks = self._one_hot(before)
        positive, negative = self._drawn(frame)
        cues = Cues(masks, _others(masks), positive, negative)
        memory = [self._remember(f) for f in self._nearest(frame)]
        return self._decode(frame, [*memory, self._memorize(frame, cues, trusted=False)], cues)

    def _propagate(self, frame: int, near: Tensor) -> Tensor:
        masks = near[1:]
        nothing = torch.zeros_like(masks)
        cues = Cues(masks, _others(masks), nothing, nothing)
        return self._decode(frame, [self._remember(f) for f in self._nearest(frame)], cues)

    def _decode(self, frame: int, memory: list[Remembered], cues: Cues) -> Tensor:
        logits = decode(self._network, self._encode(frame), memory, cues)
        full = F.interpolate(logits[:, None], scale_factor=2, mode="bilinear", align_corners=False)[:, 0]
        full[~self._known()] = ABSENT
        return torch.softmax(aggregate(full), dim=0)

    # --- memory ---------------------------------------------------------------------------------------------------

    def _nearest(self, frame: int) -> list[int]:
        """The annotated and accepted frames that are remembered for `frame`, which is not one of them itself."""
        known = {f for f in self._annotated if self._has_mask(f)} | set(self.locked)
        return sorted(known - {frame}, key=lambda f: abs(f - frame))[:MEMORY_FRAMES]

    def _remember(self, frame: int) -> Remembered:
        masks = self._one_hot(self._labels(frame))
        positive, negative = self._drawn(frame)
        return self._memorize(frame, Cues(masks, _others(masks), positive, negative), trusted=True)

    def _memorize(self, frame: int, cues: Cues, *, trusted: bool) -> Remembered:
        encoded = self._encode(frame)
        p8 = encoded.p8.expand(self.num_objects, -1, -1, -1)
        target, weight = labelled(cues, trusted=trusted)
        return Remembered(encoded.key, self._network.memorizer(p8, cues), encoded.pixels, target, weight)

    def _has_mask(self, frame: int) -> bool:
        return frame in self.locked or any(frame in labels for labels in self._rounds)

    def _labels(self, frame: int) -> Tensor | None:
        """The newest mask of a frame on the grid, int64 [H, W]; None before the first."""
        if frame in self.locked:
            return to_cells(self.locked[frame], self._grid)
        newest = next((labels for labels in reversed(self._rounds) if frame in labels), None)
        return None if newest is None else newest[frame]

    def _one_hot(self, labels: Tensor | None) -> Tensor:
        if labels is None:
            return torch.zeros(self.num_objects, *self._grid, device=self._device)
        numbers = torch.arange(1, self.num_objects + 1, device=self._device)[:, None, None]
        return (labels.to(self._device) == numbers).float()

    def _drawn(self, frame: int) -> tuple[Tensor, Tensor]:
        """Own and other scribbles of every object on a frame, each [n, H, W]."""
        annotated = self._annotated.get(frame)
        nothing = torch.zeros(self.num_objects, *self._grid, device=self._device)
        if annotated is None:
            return nothing, nothing
        raster = dilate(rasterise(annotated.strokes, *self._grid), 1)
        drawn = torch.from_numpy(raster.astype(np.int64)).to(self._device)
        own = self._one_hot(drawn)
        return own, (drawn >= 0).float() - own

    def _encode(self, frame: int) -> Frame:
        kept = [self._encoded.get(f"{part}-{frame}", self._device) for part in PARTS]
        if all(part is not None for part in kept):
            return Frame(*(part.float() for part in kept if part is not None))
        image = resized_frame(self.frames[frame], self._grid).clamp_(0, 255) / 255
        encoded = self._network.encoder(image.to(self._device).contiguous(memory_format=torch.channels_last))
        # Kept at half precision; the first use goes through it too, so that every use sees the same numbers.
        halves = Frame(*(part.half() for part in encoded))
        for name, part in zip(PARTS, halves, strict=True):
            self._encoded.put(f"{name}-{frame}", part)
        return Frame(*(part.float() for part in halves))

    def _known(self) -> Tensor:
        """Which objects were drawn, or are in an accepted mask: bool [n]. Of the others there is nothing to find."""
        known = torch.zeros(self.num_objects + 1, dtype=torch.bool, device=self._device)
        for annotated in self._annotated.values():
            known[[stroke.object_id for stroke in annotated.strokes]] = True
        for labels in self.locked.values():
            known[np.unique(labels).tolist()] = True
        return known[1:]

    # --- results --------------------------------------------------------------------------------------------------

    @property
    def _grid(self) -> tuple[int, int]:
        return self._size[0], self._size[1]

    def _given(self, frame: int) -> Tensor:
        masks = self._one_hot(self._labels(frame))
        return torch.cat([1 - masks.sum(dim=0, keepdim=True), masks])

    def _update(self, frame: int, probability: Tensor) -> MaskUpdate:
        size = (self.frames.height, self.frames.width)
        full = F.interpolate(probability[None], size=size, mode="bilinear", align_corners=False)[0]
        labels: LabelMap = full.argmax(dim=0).to(torch.uint8).cpu().numpy()
        annotated = self._annotated.get(frame)
        if annotated is not None:  # what was drawn is so
            raster = rasterise(annotated.strokes, *size)
            labels[raster >= 0] = raster[raster >= 0]
        return MaskUpdate(frame, labels, tuple(confidences(probability)[1:]))


def _others(masks: Tensor) -> Tensor:
    return (masks.sum(dim=0, keepdim=True) - masks).clamp(0, 1)
