"""The engine of interactive STM: it segments each frame by comparing it with the annotated frames, its memory.

A round adds the annotated frame to the memory, or replaces it there, and segments all frames outward from it. No frame
depends on the mask of the frame before, so that errors do not accumulate along the video.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import torch
from torch import Tensor

from segmentation.engine import Engine
from segmentation.engines.stm.network import InteractiveSTM
from segmentation.engines.stm.video import STMVideo, confidence_of
from segmentation.networks.aggregation import aggregate
from segmentation.networks.memory import MemorySlot
from segmentation.scribbles import cues_of, rasterise
from segmentation.session.probability_maps import decode, encode, from_labels, with_objects
from segmentation.session.round_history import RoundHistory, RoundRecord
from segmentation.types import Interaction, LabelMap, MaskUpdate, PastRound

Slots = dict[int, MemorySlot]  # by object id
QUERY_SHARE = 0.75  # Share of `memory_bytes` for queries (features of frames); the rest is for the memory.


class InteractiveSTMEngine(Engine):
    """A session of interactive STM: the engine with one video open.

    Options:
        given_frames: how many accepted or painted frames before a frame, and how many after it, are in its memory, the
            nearest first.
        scribbles_win: whether pixels under a scribble get its object id, whatever the network finds there.
        precision: "float32", "bfloat16", "float16"; "auto" is float16 on CUDA and float32 on a CPU. With "auto" on a
            CPU, OpenVINO runs the small shipped weights if it is installed, and reads the memory and decodes in
            bfloat16 if the processor supports it.
        network: a network to use instead of loading a checkpoint.
    """

    name = "stm"

    def _setup(
        self,
        given_frames: int = 1,
        scribbles_win: bool = True,
        precision: str = "auto",
        network: InteractiveSTM | None = None,
    ) -> None:
        if given_frames < 0:
            raise ValueError(f"given_frames: {given_frames} is less than 0")
        budget = self.settings.memory_bytes
        self._video = STMVideo(
            self.frames, network or (InteractiveSTM, self.name), self.settings, int(QUERY_SHARE * budget), precision
        )
        self._slot_budget = int((1 - QUERY_SHARE) * budget)
        self._given_frames, self._scribbles_win = given_frames, scribbles_win
        self._history = RoundHistory(self._video.size)
        self._slots: dict[int, Slots] = {}  # by index of the round in the history
        self._given_slots: dict[int, Slots] = {}  # by accepted or painted frame

    def close(self) -> None:
        self._video.close()
        self._slots.clear()
        self._given_slots.clear()

    # --- rounds ---------------------------------------------------------------------------------------------------

    def _restore(self, past: PastRound) -> None:
        self._history.add(past)

    def _prepare_frame(self, frame: int) -> None:
        self._video.prepare(frame)

    def _adopt(self, labels: Mapping[int, LabelMap]) -> None:
        self._history.adopt(labels, self.num_objects)

    @torch.inference_mode()
    def _run(self, interaction: Interaction) -> Iterator[MaskUpdate]:
        self._history.begin(self.name, interaction, self.num_objects)
        try:
            yield from self._updates(interaction)
        finally:
            if (index := self._history.end()) is not None:
                self._slots.pop(index, None)

    def _updates(self, interaction: Interaction) -> Iterator[MaskUpdate]:
        ids = self._known_objects()
        for frame in self._outward(interaction.frame):
            if self.masks.keeps(frame):
                continue
            update = self._segment(frame, ids)
            if frame == interaction.frame and self._scribbles_win:
                raster = rasterise(interaction.scribbles, self.frames.height, self.frames.width)
                update.labels[raster >= 0] = raster[raster >= 0]
            settled = self._settled(update)
            self._history.store(settled)
            yield settled

    def _segment(self, frame: int, ids: list[int]) -> MaskUpdate:
        memory = self._memory_for(frame, ids)
        probabilities = self._video.segment(frame, [memory[i] for i in ids]) if ids else self._nothing()
        # A single object keeps the probabilities of the network, as in the official program. Several are aggregated.
        if len(ids) > 1:
            distribution = aggregate(probabilities)
        else:
            distribution = torch.cat([1 - probabilities.sum(dim=0, keepdim=True), probabilities])
        masks = np.zeros((self.num_objects, *self._video.size), np.float32)
        masks[[i - 1 for i in ids]] = distribution[1:].cpu().numpy()
        confidence = confidence_of(distribution, ids, self.num_objects)
        return MaskUpdate(frame, self._video.labels(distribution, ids), confidence, encode(masks))

    def _nothing(self) -> Tensor:
        return torch.zeros(0, *self._video.size)

    # --- memory ---------------------------------------------------------------------------------------------------

    def _known_objects(self) -> list[int]:
        """Return the ids of all objects that have scribbles or occur in an accepted or painted mask."""
        known = set(self._history.first_drawn()).union(*self.masks.sure_frames().values())
        return sorted(i for i in known if 1 <= i <= self.num_objects)

    def _memory_for(self, frame: int, ids: list[int]) -> dict[int, list[MemorySlot]]:
        """Return, for each of the objects `ids`, the memory with which `frame` is segmented: a slot per frame."""
        memory: dict[int, list[MemorySlot]] = {i: [] for i in ids}
        annotated = self._records_in_memory(len(ids))
        slots = [self._record_slots(index) for index in annotated]
        frames = {self._history.records[index].frame for index in annotated}
        slots += [self._given(given) for given in self._nearest_given(frame) if given not in frames]
        for of_frame in slots:
            for object_id in ids:
                if object_id in of_frame:
                    memory[object_id].append(of_frame[object_id])
        for object_id in ids:
            if not memory[object_id]:
                memory[object_id] = self._farther_given(frame, object_id)
        return memory

    def _records_in_memory(self, objects: int) -> list[int]:
        """Return the indices of the rounds whose annotated frames are in the memory of `objects` objects.

        They are the newest round of each annotated frame; if these need too many bytes, only the newest of them.
        """
        newest = {record.frame: index for index, record in enumerate(self._history.records)}
        room = max(2, self._slot_budget // max(1, self._video.slot_bytes * objects))
        chosen = sorted(newest.values())[-room:]
        for index in self._slots.keys() - set(chosen):
            del self._slots[index]
        return chosen

    def _record_slots(self, index: int) -> Slots:
        if index not in self._slots:
            self._slots[index] = self._memorize_record(index, self._history.records[index])
        return self._slots[index]

    def _memorize_record(self, index: int, record: RoundRecord) -> Slots:
        """Encode the annotated frame of a round into memory slots of the objects drawn in this round or earlier.

        An object that was first drawn later gets no slot: the mask of this frame has no pixels of it even if it is
        visible there, so that a slot would wrongly tell that it is absent.
        """
        ids = sorted(i for i, first in self._history.first_drawn().items() if first <= index and i <= self.num_objects)
        if not ids:
            return {}
        raster = rasterise(record.past.interaction.scribbles, *self._video.size)
        masks = self._mask_of(record)
        cues = [np.stack([masks[i - 1], *cues_of(raster, i, both=True)]) for i in ids]
        slots = self._video.memorize(record.frame, torch.from_numpy(np.stack(cues).astype(np.float32)))
        return dict(zip(ids, slots, strict=True))

    def _mask_of(self, record: RoundRecord) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        """Return the probability maps with which the annotated frame of a round is encoded into the memory.

        They are accepted or painted masks for the objects that have such a mask there, else the maps before the round.
        """
        size, count = self._video.size, self.num_objects
        if record.before is None:
            masks = np.zeros((count, *size), np.float32)
        else:
            masks = with_objects(decode(record.before, *size), count)
        known = [i - 1 for i in sorted(self.masks.spoken_of(record.frame, self.num_objects))]
        if known:
            masks[known] = from_labels(self.masks.sure_labels(record.frame), count, *size)[known]
        return masks

    def _nearest_given(self, frame: int) -> list[int]:
        sure = sorted(self.masks.sure_frames())
        before = [f for f in sure if f < frame][::-1]
        after = [f for f in sure if f > frame]
        return before[: self._given_frames] + after[: self._given_frames]

    def _farther_given(self, frame: int, object_id: int) -> list[MemorySlot]:
        """Return a list with the slot of the nearest accepted or painted mask that shows an object.

        It is used for an object that has no other slot.
        """
        showing = [f for f, ids in self.masks.sure_frames().items() if object_id in ids]
        return [self._given(min(showing, key=lambda f: (abs(f - frame), f)))[object_id]]

    def _given(self, frame: int) -> Slots:
        """Encode an accepted or painted frame into a memory slot for each object that its mask shows."""
        if frame not in self._given_slots:
            ids = sorted(i for i in self.masks.sure_frames()[frame] if 1 <= i <= self.num_objects)
            masks = from_labels(self.masks.sure_labels(frame), self.num_objects, *self._video.size)[
                [i - 1 for i in ids]
            ]
            cues = np.stack([masks, np.zeros_like(masks), np.zeros_like(masks)], axis=1)
            slots = self._video.memorize(frame, torch.from_numpy(cues)) if ids else []
            while len(self._given_slots) >= max(
                4, 4 * self._given_frames
            ):  # A step forward and a step backward together use at most this many frames.
                del self._given_slots[next(iter(self._given_slots))]
            self._given_slots[frame] = dict(zip(ids, slots, strict=True))
        return self._given_slots[frame]

    def _locked_changed(self, frame: int) -> None:
        self._given_slots.pop(frame, None)
        for index, record in enumerate(self._history.records):
            if record.frame == frame:
                self._slots.pop(index, None)
