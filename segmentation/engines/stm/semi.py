"""The engine of semi-supervised STM: it propagates given masks through the video, forward and backward.

Given masks are those of accepted and painted frames, and of frames with scribbles: the mask before the round with the
scribbles painted over it. The memory for segmenting a frame consists of the nearest given masks, every fifth frame that
the propagation has passed, and the previous frame.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import torch

from segmentation.engine import Engine
from segmentation.engines.stm.network import STM, other_masks
from segmentation.engines.stm.painting import paint
from segmentation.engines.stm.video import STMVideo, confidence_of
from segmentation.masks import shown_ids
from segmentation.networks.aggregation import STM_CHANNELS, aggregate
from segmentation.networks.memory import MemorySlot
from segmentation.session.constraints import with_pixels
from segmentation.session.packed_labels import PackedLabels
from segmentation.session.probability_maps import from_labels
from segmentation.session.round_history import RoundHistory
from segmentation.types import Interaction, LabelMap, MaskUpdate, PastRound, ProbabilityMaps

QUERY_SHARE = 0.5  # Share of `memory_bytes` for queries (features of frames); the rest is for the memory.
Slots = dict[int, MemorySlot]  # by object id


@dataclass(eq=False)
class _Side:
    """The state of a propagation in one direction.

    It is the frame that it has reached, the probability maps there, and the memory slots of the frames it has kept.
    """

    frame: int
    masks: ProbabilityMaps
    kept: list[Slots] = field(default_factory=list)


class SemiSTMEngine(Engine):
    """A session of semi-supervised STM: the engine with one video open.

    Options:
        every: the distance in frames between propagated frames that are kept in the memory (the paper's N).
        given_frames: the number of frames with given masks, before and after a frame, that are in its memory besides
            the frame that was drawn on.
        precision: "float32", "bfloat16", "float16"; "auto" is float16 on CUDA and float32
            on a CPU. With "auto" on a CPU, OpenVINO runs the small shipped weights if it is installed.
        network: a network to use instead of loading a checkpoint.
    """

    name = "stm-semi"

    def _setup(
        self, every: int = 5, given_frames: int = 1, precision: str = "auto", network: STM | None = None
    ) -> None:
        if every < 1:
            raise ValueError(f"every: {every} is less than 1")
        if given_frames < 0:
            raise ValueError(f"given_frames: {given_frames} is less than 0")
        budget = self.settings.memory_bytes
        self._video = STMVideo(
            self.frames, network or (STM, self.name), self.settings, int(QUERY_SHARE * budget), precision
        )
        self._memory_budget = int((1 - QUERY_SHARE) * budget)
        self._every, self._given_frames = every, given_frames
        self._history = RoundHistory(self._video.size)
        self._given = PackedLabels()  # masks of drawn frames, with the scribbles painted over them
        self._given_objects: dict[int, int] = {}  # by frame, the number of objects when the mask was given
        self._given_slots: dict[int, Slots] = {}

    def close(self) -> None:
        self._video.close()
        self._given_slots.clear()

    # --- rounds ---------------------------------------------------------------------------------------------------

    def _restore(self, past: PastRound) -> None:
        frame = past.interaction.frame
        given = past.labels[frame] if frame in past.labels else self._painted(past.interaction)
        self._give(frame, given, past.num_objects)
        self._history.add(past)

    def _prepare_frame(self, frame: int) -> None:
        self._video.prepare(frame)

    def _adopt(self, labels: Mapping[int, LabelMap]) -> None:
        self._history.adopt(labels, self.num_objects)

    @torch.inference_mode()
    def _run(self, interaction: Interaction) -> Iterator[MaskUpdate]:
        start = interaction.frame
        before = self._given.get(start), self._given_objects.get(start)
        self._give(start, self._painted(interaction), self.num_objects)
        self._history.begin(self.name, interaction, self.num_objects)
        try:
            yield from self._updates(start)
        finally:
            if self._history.end() is not None:
                self._take_back(start, *before)

    def _updates(self, start: int) -> Iterator[MaskUpdate]:
        update = self._given_update(start)
        if update is not None:
            self._history.store(update)
            yield update
        ids = self._known_objects()
        first = self._soft(self._fixed(start))
        sides = {forward: _Side(start, first) for forward in (True, False)}
        for frame in self._outward(start):
            update = None if frame == start else self._step(frame, start, sides[frame > start], ids)
            if update is not None:
                self._history.store(update)
                yield update

    def _step(self, frame: int, start: int, side: _Side, ids: list[int]) -> MaskUpdate | None:
        """Propagate `side` to the next frame, `frame`. Return its new mask, or None if it keeps its given mask.

        `start` is the frame that was drawn on, `ids` are the objects to segment.
        """
        if self._stands(frame):
            update, masks = None, self._soft(self._fixed(frame))
        else:
            update, masks = self._segment(frame, start, side, ids)
        side.frame, side.masks = frame, masks
        return update

    def _given_update(self, frame: int) -> MaskUpdate | None:
        if self.masks.keeps(frame):
            return None
        update = self._settled(MaskUpdate(frame, self._given[frame], (1.0,) * self.num_objects))
        self._give(frame, update.labels, self.num_objects)
        return update

    def _segment(self, frame: int, start: int, side: _Side, ids: list[int]) -> tuple[MaskUpdate, ProbabilityMaps]:
        masks = np.zeros((self.num_objects, *self._video.size), np.float32)
        memory = self._memory_for(frame, start, side, ids)
        ids = [i for i in ids if memory[i]]
        if ids:
            probabilities = self._video.segment(frame, [memory[i] for i in ids])
            distribution = aggregate(probabilities, STM_CHANNELS)
        else:
            distribution = torch.ones(1, *self._video.size)
        masks[[i - 1 for i in ids]] = distribution[1:].cpu().numpy()
        labels = self._video.labels(distribution, ids)
        if frame in self._given:  # The mask was given before some objects were added; only these are new in it.
            given, known = self._given[frame], self._given_objects[frame]
            labels = np.where((given == 0) & (labels > known), labels, given)
            masks = self._soft(labels)
        update = self._settled(MaskUpdate(frame, labels, confidence_of(distribution, ids, self.num_objects)))
        return update, masks if update.labels is labels else self._soft(update.labels)

    # --- given masks ----------------------------------------------------------------------------------------------

    def _give(self, frame: int, labels: LabelMap, num_objects: int) -> None:
        self._given[frame] = labels
        self._given_objects[frame] = num_objects
        self._given_slots.pop(frame, None)

    def _take_back(self, frame: int, labels: LabelMap | None, num_objects: int | None) -> None:
        if labels is None or num_objects is None:
            del self._given[frame], self._given_objects[frame]
            self._given_slots.pop(frame, None)
        else:
            self._give(frame, labels, num_objects)

    def _painted(self, interaction: Interaction) -> LabelMap:
        """Return the mask of the frame that was drawn on, with the scribbles painted over it."""
        labels = self._history.labels(interaction.frame)
        if labels is None:
            labels = np.zeros((self.frames.height, self.frames.width), np.uint8)
        return paint(labels, interaction.scribbles)

    def _fixed(self, frame: int) -> LabelMap:
        if frame in self.locked:
            return self.locked[frame]
        painted, fixed = self._given.get(frame), self.masks.constraints.fixed_labels(frame)
        if painted is None or fixed is None:
            found = fixed if painted is None else painted
            assert found is not None, "this frame has no given mask"
            return found
        return with_pixels(painted, fixed, self.masks.constraints.fixed_ids(frame))

    def _shown(self, frame: int) -> frozenset[int]:
        """Return the ids of the objects that the given mask of a frame shows."""
        return shown_ids(self._fixed(frame))

    def _stands(self, frame: int) -> bool:
        """Return whether no object of `frame` is to be computed.

        That is so if `frame` is accepted, or if its mask was given when all objects of the session had been added.
        """
        return frame in self.locked or self._given_objects.get(frame, 0) >= self.num_objects

    def _known_objects(self) -> list[int]:
        known = set[int]().union(*(self._shown(frame) for frame in self._given_frames_all()))
        return sorted(i for i in known if 1 <= i <= self.num_objects)

    def _given_frames_all(self) -> list[int]:
        return sorted({*self._given, *self.masks.sure_frames()})

    def _locked_changed(self, frame: int) -> None:
        self._given_slots.pop(frame, None)

    # --- memory ---------------------------------------------------------------------------------------------------

    def _memory_for(self, frame: int, start: int, side: _Side, ids: list[int]) -> dict[int, list[MemorySlot]]:
        """Return, for each of the objects `ids`, the memory with which `frame` is segmented: a slot per frame.

        The slots are those of given masks that show the object, of the frames that `side` has kept, and of the previous
        frame, which is then kept too if its distance from `start` is a multiple of the option `every`.
        """
        before = side.frame
        near = self._nearest_given(frame, start)
        slots = [self._slots_of_given(f) for f in sorted(near)] + side.kept
        if before not in near:
            latest = self._slots_of_given(before) if self._stands(before) else self._memorize(before, side.masks, ids)
            slots = [*slots, latest]
            if abs(before - start) % self._every == 0:
                self._keep(side, latest, len(ids))
        memory = {i: [of_frame[i] for of_frame in slots if i in of_frame] for i in ids}
        for object_id in ids:
            if not memory[object_id]:
                memory[object_id] = [self._nearest_showing(frame, object_id)]
        return memory

    def _keep(self, side: _Side, slots: Slots, objects: int) -> None:
        """Keep the memory slots of a frame for the rest of the propagation in the direction `side`.

        If the memory of `objects` objects becomes too large, the oldest kept frame is dropped.
        """
        side.kept.append(slots)
        room = max(1, self._memory_budget // max(1, 2 * self._video.slot_bytes * objects))  # Each direction has half.
        del side.kept[:-room]

    def _nearest_given(self, frame: int, start: int) -> set[int]:
        frames = self._given_frames_all()
        before = [f for f in frames if f < frame][::-1][: self._given_frames]
        after = [f for f in frames if f > frame][: self._given_frames]
        return {start, *before, *after} - {frame}

    def _nearest_showing(self, frame: int, object_id: int) -> MemorySlot:
        """Return the memory slot of the given mask nearest to `frame` that shows the object.

        The memory contains this slot if none of its other slots shows the object.
        """
        showing = [f for f in self._given_frames_all() if object_id in self._shown(f)]
        return self._slots_of_given(min(showing, key=lambda f: (abs(f - frame), f)))[object_id]

    def _slots_of_given(self, frame: int) -> Slots:
        """Encode a frame with its given mask into a memory slot for each object that the mask shows."""
        if frame not in self._given_slots:
            ids = sorted(i for i in self._shown(frame) if 1 <= i <= self.num_objects)
            # A step forward and a step backward together use at most this many frames.
            while len(self._given_slots) >= 4 + 4 * self._given_frames:
                del self._given_slots[next(iter(self._given_slots))]
            self._given_slots[frame] = self._memorize(frame, self._soft(self._fixed(frame)), ids)
        return self._given_slots[frame]

    def _memorize(self, frame: int, masks: ProbabilityMaps, ids: list[int]) -> Slots:
        if not ids:
            return {}
        own = torch.from_numpy(masks[[i - 1 for i in ids]])
        cues = torch.stack([own, other_masks(own)], dim=1)
        return dict(zip(ids, self._video.memorize(frame, cues), strict=True))

    def _soft(self, labels: LabelMap) -> ProbabilityMaps:
        return from_labels(labels, self.num_objects, *self._video.size)
