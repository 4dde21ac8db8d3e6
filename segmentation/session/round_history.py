"""What a session knows of earlier rounds: who drew what where, and the newest mask of every frame.

Rounds that the session ran itself and rounds that it was restored from look the same here, which is what makes a
rebuilt session equal to a kept one.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from segmentation.session.packed_labels import PackedLabels
from segmentation.session.probability_maps import ProbabilityMaps, decode, encode, from_labels
from segmentation.types import Interaction, LabelMap, MaskUpdate, PastRound


@dataclass(frozen=True)
class RoundRecord:
    """One round: the past round itself, and the soft mask that its frame had when it was drawn on."""

    past: PastRound
    before: bytes | None  # a note; None = no mask yet
    drawn: frozenset[int] = field(default_factory=frozenset)  # objects with a scribble of their own in this round

    @property
    def frame(self) -> int:
        return self.past.interaction.frame


class RoundHistory:
    """All rounds of a session, oldest first. `size` is that of the soft masks."""

    def __init__(self, size: tuple[int, int]) -> None:
        self.size = size
        self.records: list[RoundRecord] = []
        self._own: list[tuple[PackedLabels, dict[int, bytes]]] = []

    def begin(self, engine: str, interaction: Interaction, num_objects: int) -> RoundRecord:
        """A round of this session; `store` adds its masks."""
        labels, memos = PackedLabels(), dict[int, bytes]()
        self._own.append((labels, memos))
        return self.add(PastRound(engine, interaction, num_objects, labels, memos))

    def end(self) -> int | None:
        """To be called when the round that was begun last is over. One that made no mask changed nothing: it is taken
        back, and the index that its record had is returned."""
        if self._own[-1][0]:
            return None
        self._own.pop()
        self.records.pop()
        return len(self.records)

    def add(self, past: PastRound) -> RoundRecord:
        """A round that was stored elsewhere."""
        drawn = frozenset(s.object_id for s in past.interaction.scribbles if s.object_id)
        record = RoundRecord(past, self.note(past.interaction.frame), drawn)
        self.records.append(record)
        return record

    def store(self, update: MaskUpdate) -> None:
        """A mask of the round that was begun last. What it replaces is forgotten, not kept for ever."""
        for labels, memos in self._own[:-1]:
            labels.pop(update.frame, None)
            memos.pop(update.frame, None)
        labels, memos = self._own[-1]
        labels[update.frame] = update.labels
        if update.memo is not None:
            memos[update.frame] = update.memo

    def labels(self, frame: int) -> LabelMap | None:
        """The newest mask of a frame."""
        past = self._newest(frame)
        return None if past is None else past.labels[frame]

    def note(self, frame: int) -> bytes | None:
        """The newest soft mask of a frame as a note; made from the labels where another engine made them."""
        past = self._newest(frame)
        if past is None:
            return None
        if frame in past.memos:
            return past.memos[frame]
        return encode(from_labels(past.labels[frame], past.num_objects, *self.size))

    def soft(self, frame: int) -> ProbabilityMaps | None:
        """The newest soft mask of a frame [n, h, w]; n is the number of objects of the round that made it."""
        note = self.note(frame)
        return None if note is None else decode(note, *self.size)

    def first_drawn(self) -> dict[int, int]:
        """Of every object that was ever scribbled, the index of the first record that did."""
        first: dict[int, int] = {}
        for index, record in enumerate(self.records):
            for object_id in record.drawn:
                first.setdefault(object_id, index)
        return first

    def covers(self, frame: int, since: int) -> bool:
        """Whether a record with index `since` or later, the last one left out, made a mask of `frame`."""
        return any(frame in record.past.labels for record in self.records[since:-1])

    def _newest(self, frame: int) -> PastRound | None:
        return next((r.past for r in reversed(self.records) if frame in r.past.labels), None)
