"""The rounds of a session: who drew what where, and the newest mask of every frame.

Rounds that the session ran itself and rounds that it was restored from are kept in the same form, so that a rebuilt
session equals a kept one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from segmentation.session.packed_labels import PackedLabels
from segmentation.session.probability_maps import decode, encode, from_labels
from segmentation.types import Interaction, LabelMap, MaskUpdate, PastRound, ProbabilityMaps


@dataclass(frozen=True)
class RoundRecord:
    """A round, and the probability maps that its frame had before it was drawn on."""

    past: PastRound
    before: bytes | None  # encoded probability maps; None where the frame had no mask
    drawn: frozenset[int] = field(default_factory=frozenset)  # ids of the objects that this round's scribbles are for

    @property
    def frame(self) -> int:
        return self.past.interaction.frame


class RoundHistory:
    """All rounds of a session, oldest first.

    Args:
        size: height and width of the probability maps.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        self.size = size
        self.records: list[RoundRecord] = []
        self._own: list[tuple[PackedLabels, dict[int, bytes]]] = []
        self._versions: list[PastRound] = []  # the rounds, and between them the masks that no round made

    def begin(self, engine: str, interaction: Interaction, num_objects: int) -> RoundRecord:
        """Begin a round of this session. `store` adds its masks."""
        labels, engine_states = PackedLabels(), dict[int, bytes]()
        self._own.append((labels, engine_states))
        return self.add(PastRound(engine, (interaction,), num_objects, labels, engine_states))

    def end(self) -> int | None:
        """End the round that was begun last.

        A round that made no mask changed nothing: it is removed, and the index that its record had is returned.
        """
        if self._own[-1][0]:
            return None
        self._own.pop()
        self.records.pop()
        self._versions.pop()
        return len(self.records)

    def add(self, past: PastRound) -> RoundRecord:
        """Add a round that was stored elsewhere."""
        drawn = frozenset(s.object_id for s in past.interaction.scribbles if s.object_id)
        record = RoundRecord(past, self.engine_state(past.interaction.frame), drawn)
        self.records.append(record)
        self._versions.append(past)
        return record

    def adopt(self, labels: Mapping[int, LabelMap], num_objects: int) -> None:
        """Take masks that no round made as the newest ones of their frames."""
        self._versions.append(PastRound("", (), num_objects, labels))

    def store(self, update: MaskUpdate) -> None:
        """Store a mask of the round that was begun last, and delete older masks of its frame that this session made."""
        for labels, engine_states in self._own[:-1]:
            labels.pop(update.frame, None)
            engine_states.pop(update.frame, None)
        labels, engine_states = self._own[-1]
        labels[update.frame] = update.labels
        if update.engine_state is not None:
            engine_states[update.frame] = update.engine_state

    def labels(self, frame: int) -> LabelMap | None:
        """The newest mask of a frame, or None."""
        past = self._newest(frame)
        return None if past is None else past.labels[frame]

    def engine_state(self, frame: int) -> bytes | None:
        """The newest probability maps of a frame, encoded. They are made from the mask where another engine made it."""
        past = self._newest(frame)
        if past is None:
            return None
        if frame in past.engine_states:
            return past.engine_states[frame]
        return encode(from_labels(past.labels[frame], past.num_objects, *self.size))

    def probabilities(self, frame: int) -> ProbabilityMaps | None:
        """The newest probability maps of a frame [n, h, w]; n is the number of objects of the round that made them."""
        engine_state = self.engine_state(frame)
        return None if engine_state is None else decode(engine_state, *self.size)

    def first_drawn(self) -> dict[int, int]:
        """For every object that was ever drawn, the index of the first record with a scribble for it."""
        first: dict[int, int] = {}
        for index, record in enumerate(self.records):
            for object_id in record.drawn:
                first.setdefault(object_id, index)
        return first

    def covers(self, frame: int, since: int) -> bool:
        """Whether a record from index `since` on, other than the last one, has a mask of `frame`."""
        return any(frame in record.past.labels for record in self.records[since:-1])

    def _newest(self, frame: int) -> PastRound | None:
        return next((past for past in reversed(self._versions) if frame in past.labels), None)
