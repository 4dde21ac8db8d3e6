"""STAR as an engine. Its state is what was drawn and the hard masks of the rounds: a rebuilt session is a kept one."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from segmentation.checkpoints import load_network
from segmentation.classical.composition import Composition
from segmentation.classical.drawing import draw_on
from segmentation.classical.motion import FlowField
from segmentation.classical.picture import Pictures, Sizes
from segmentation.device import choose_device
from segmentation.engine import Engine, outward
from segmentation.engines.star.network import STRIDE, Cues, Frame, Star, aggregate
from segmentation.engines.star.reading import Remembered, carry, decode, remember
from segmentation.feature_cache import FeatureCache
from segmentation.internal_size import internal_size
from segmentation.networks.labelling import confidences
from segmentation.round_labels import RoundLabels, resize_labels, to_cells
from segmentation.scribbles import dilate, rasterise
from segmentation.types import Interaction, MaskUpdate, PastRound, Scribble

LINES, COLUMNS = 288, 512  # what a frame is fitted into: two CPU cores encode it in a tenth of a second
MEMORY_FRAMES = 6  # annotated frames that are read for a frame: the nearest in time
MOTION_SCALE = 2 / 3  # of the grid
ABSENT = -12.0  # logit of an object that nobody has drawn yet
PARTS = Frame._fields


class StarEngine(Engine):
    """A session of STAR.

    Options:
        network: a network that is already loaded (training validates the one it trains); default: the weights found.
    """

    name = "star"

    def _setup(self, network: Star | None = None) -> None:
        self._device = choose_device(self.settings.device)
        if network is None:
            loaded = load_network("star", self.settings.weights)
            assert isinstance(loaded, Star)  # by its line in NETWORKS
            network = loaded
        self._network = network.eval().to(self._device)
        self._network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        fit = internal_size(self.frames.height, self.frames.width, (LINES, COLUMNS), self.settings.max_side)
        height, width = (-(-side // STRIDE) * STRIDE for side in fit)  # stretched by less than a cell
        self._grid = (height, width)
        sizes = Sizes.of(self.frames.height, self.frames.width, self.settings.max_side, self._grid)
        self._pictures = Pictures(self.frames, sizes)
        self._field = FlowField()
        self._encoded = FeatureCache(self.settings.memory_bytes, self.settings.cache_dir)
        self._strokes: dict[int, list[Scribble]] = {}  # of all rounds, by frame
        self._rounds: list[RoundLabels] = []
        self._remembered: dict[int, Remembered] = {}  # of this round

    def close(self) -> None:
        self._encoded.close()

    # --- rounds ---------------------------------------------------------------------------------------------------

    def _restore(self, past: PastRound) -> None:
        self._note(past.interaction)
        self._rounds.append(RoundLabels(self._grid, past.labels))

    def _note(self, interaction: Interaction) -> None:
        self._strokes.setdefault(interaction.frame, []).extend(interaction.scribbles)

    @torch.inference_mode()
    def _run(self, interaction: Interaction) -> Iterator[MaskUpdate]:
        start = interaction.frame
        self._remembered.clear()
        cut = None if start in self.locked else self._cut(interaction)
        new = self._new(interaction)
        ends = self._ends(interaction, new)
        self._note(interaction)
        labels = RoundLabels(self._grid)
        self._rounds.append(labels)
        near: dict[bool, Tensor | None] = {}
        for frame in outward(start, len(self.frames)):
            later = frame > start
            found: Tensor | None
            if frame == start:
                found = self._given(frame) if cut is None else self._interact(frame, cut)
                near = {True: found, False: found}
            elif frame in self.locked:
                found = near[later] = None if near[later] is None else self._given(frame)
            else:
                found = near[later] = self._follow(start, frame, near[later], ends[later], new)
            if found is not None and frame not in self.locked:
                update = self._update(frame, found)
                labels[frame] = to_cells(update.labels, self._grid)
                self._remembered.pop(frame, None)
                yield update

    def _cut(self, interaction: Interaction) -> Tensor:
        """What classical vision makes of the new strokes, on the grid: int64 [H, W]."""
        frame, before = interaction.frame, self._labels(interaction.frame)
        was = (
            None if before is None else resize_labels(before, self._pictures.sizes.video).cpu().numpy().astype(np.uint8)
        )
        earlier = self._strokes.get(frame, [])
        cut = draw_on(self._pictures, frame, earlier, interaction.scribbles, was, self.settings.seed)
        return to_cells(cut, self._grid)

    def _new(self, interaction: Interaction) -> Tensor:
        """Objects that are drawn for the first time: bool [n]."""
        drawn = torch.zeros(self.num_objects + 1, dtype=torch.bool, device=self._device)
        drawn[[stroke.object_id for stroke in interaction.scribbles]] = True
        return drawn[1:] & ~self._known()

    def _ends(self, interaction: Interaction, new: Tensor) -> dict[bool, int | None]:
        """The annotated or accepted frame at which the round ends on either side (True: later), None: nowhere.

        There is no end as long as a frame has no mask, or for an object that is drawn for the first time: it is new in
        every frame.
        """
        start = interaction.frame
        if new.any() or not all(self._has_mask(frame) for frame in range(len(self.frames))):
            return {True: None, False: None}
        given = {*self._strokes, *self.locked} - {start}
        later, earlier = [f for f in given if f > start], [f for f in given if f < start]
        return {True: min(later, default=None), False: max(earlier, default=None)}

    def _follow(self, start: int, frame: int, near: Tensor | None, end: int | None, new: Tensor) -> Tensor | None:
        """The next frame on one side, from what was found beside it; None from the round's end on."""
        if near is None or frame == end:
            return None
        fresh = self._propagate(frame, frame - 1 if frame > start else frame + 1, near, new)
        if end is None:
            return fresh
        # The nearer the other annotation, the more its own round's masks count.
        share = abs(end - frame) / abs(end - start)
        return share * fresh + (1 - share) * self._given(frame)

    def _interact(self, frame: int, cut: Tensor) -> Tensor:
        """Probabilities [n + 1, H, W] of the frame that was drawn on; it is a memory frame of its own."""
        masks = self._one_hot(cut)
        cues = self._cues(masks, *self._drawn(frame))
        memory = [self._remember(f) for f in self._nearest(frame)]
        return self._decode(frame, [*memory, self._memorize(frame, cues, trusted=False)], cues)

    def _propagate(self, frame: int, neighbour: int, near: Tensor, new: Tensor) -> Tensor:
        back, trust = self._motion(frame, neighbour)
        masks = carry(near[1:], back)
        if frame in self._strokes:  # drawn on before: only what is new comes along
            masks = torch.where(new[:, None, None], masks, self._one_hot(self._labels(frame)))
        cues = Cues(masks, _others(masks), trust.expand(self.num_objects, -1, -1), *self._drawn(frame))
        return self._decode(frame, [self._remember(f) for f in self._nearest(frame)], cues)

    def _motion(self, frame: int, neighbour: int) -> tuple[Tensor, Tensor]:
        """Where the pixels of `frame` were in its neighbour [1, H, W, 2], and how far that is to be trusted [H, W]."""
        key = f"motion-{frame}-{neighbour}"
        kept = self._encoded.get(key, self._device)
        if kept is None:
            motion = self._field.between(*(_shrunk(self._pictures[f].grey) for f in (frame, neighbour)))
            height, width = motion.trust.shape
            back = motion.back * (self._grid[1] / width, self._grid[0] / height)
            kept = torch.from_numpy(np.dstack([back, motion.trust]).astype(np.float16)).permute(2, 0, 1)[None]
            kept = kept.to(self._device)
            self._encoded.put(key, kept)
        full = F.interpolate(kept.float(), size=self._grid, mode="bilinear", align_corners=False)
        return full[:, :2].permute(0, 2, 3, 1), full[0, 2]

    def _cues(self, masks: Tensor, positive: Tensor, negative: Tensor) -> Cues:
        return Cues(masks, _others(masks), torch.ones_like(masks), positive, negative)

    def _decode(self, frame: int, memory: list[Remembered], cues: Cues) -> Tensor:
        logits = decode(self._network, self._encode(frame), memory, cues, self._one)
        full = F.interpolate(logits[:, None], scale_factor=2, mode="bilinear", align_corners=False)[:, 0]
        full[~self._known()] = ABSENT
        return torch.softmax(aggregate(full), dim=0)

    # --- memory ---------------------------------------------------------------------------------------------------

    def _nearest(self, frame: int) -> list[int]:
        """The annotated and accepted frames that are remembered for `frame`, which is not one of them itself."""
        known = {f for f in self._strokes if self._has_mask(f)} | set(self.locked)
        return sorted(known - {frame}, key=lambda f: abs(f - frame))[:MEMORY_FRAMES]

    def _remember(self, frame: int) -> Remembered:
        """An annotated or accepted frame as memory; made once a round."""
        if frame not in self._remembered:
            cues = self._cues(self._one_hot(self._labels(frame)), *self._drawn(frame))
            self._remembered[frame] = self._memorize(frame, cues, trusted=True)
        return self._remembered[frame]

    def _memorize(self, frame: int, cues: Cues, *, trusted: bool) -> Remembered:
        return remember(self._network, self._encode(frame), cues, self._one, trusted=trusted)

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
        strokes = self._strokes.get(frame)
        if strokes is None:
            nothing = torch.zeros(self.num_objects, *self._grid, device=self._device)
            return nothing, nothing
        raster = dilate(rasterise(strokes, *self._grid), 1)
        drawn = torch.from_numpy(raster.astype(np.int64)).to(self._device)
        own = self._one_hot(drawn)
        return own, (drawn >= 0).float() - own

    def _encode(self, frame: int) -> Frame:
        kept = [self._encoded.get(f"{part}-{frame}", self._device) for part in PARTS]
        if all(part is not None for part in kept):
            return Frame(*(part.float() for part in kept if part is not None))
        picture = self._pictures[frame]
        image = torch.tensor(picture.grid, device=self._device).permute(2, 0, 1)[None].float() / 255
        looks = torch.tensor(picture.looks, device=self._device).permute(2, 0, 1)[None]
        encoded = self._network.encoder(image.contiguous(memory_format=torch.channels_last), looks)
        # Kept at half precision; the first use goes through it too, so that every use sees the same numbers.
        halves = Frame(*(part.half() for part in encoded))
        for name, part in zip(PARTS, halves, strict=True):
            self._encoded.put(f"{name}-{frame}", part)
        return Frame(*(part.float() for part in halves))

    def _known(self) -> Tensor:
        """Which objects were drawn, or are in an accepted mask: bool [n]. Of the others there is nothing to find."""
        known = torch.zeros(self.num_objects + 1, dtype=torch.bool, device=self._device)
        for strokes in self._strokes.values():
            known[[stroke.object_id for stroke in strokes]] = True
        for labels in self.locked.values():
            known[np.unique(labels).tolist()] = True
        return known[1:]

    # --- results --------------------------------------------------------------------------------------------------

    @property
    def _one(self) -> Tensor:
        """All objects are in the one frame that is decoded."""
        return torch.zeros(self.num_objects, dtype=torch.long, device=self._device)

    def _given(self, frame: int) -> Tensor:
        masks = self._one_hot(self._labels(frame))
        return torch.cat([1 - masks.sum(dim=0, keepdim=True), masks])

    def _update(self, frame: int, probability: Tensor) -> MaskUpdate:
        composition, picture = Composition(self._pictures.sizes), self._pictures[frame]
        for object_id in range(1, self.num_objects + 1):
            composition.add(object_id, probability[object_id].cpu().numpy(), picture)
        labels = composition.labels()
        if frame in self._strokes:  # what was drawn is so
            raster = rasterise(self._strokes[frame], *labels.shape)
            labels[raster >= 0] = raster[raster >= 0]
        return MaskUpdate(frame, labels, tuple(confidences(probability)[1:]))


def _shrunk(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture on which motion is sought: finer, it takes longer and finds no more."""
    height, width = grey.shape
    size = (max(1, round(width * MOTION_SCALE)), max(1, round(height * MOTION_SCALE)))
    return cv2.resize(grey, size, interpolation=cv2.INTER_AREA).view(np.ndarray)


def _others(masks: Tensor) -> Tensor:
    return (masks.sum(dim=0, keepdim=True) - masks).clamp(0, 1)
