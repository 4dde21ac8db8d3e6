"""The rounds of a session: what was drawn in which frame, and the masks and engine states of the rounds.

Rounds that the session ran itself and stored rounds from which it was restored are kept in the same form, so that a
rebuilt session computes the same as a session that stayed open.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from segmentation.session.packed_labels import PackedLabels
from segmentation.session.probability_maps import decode, encode, from_labels
from segmentation.types import Interaction, LabelMap, MaskUpdate, PastRound, ProbabilityMaps


@dataclass(frozen=True)
class RoundRecord:
    """A round that was drawn on one frame, and the probability maps that this frame had before the round."""

    past: PastRound
    before: bytes | None  # encoded probability maps; None where the frame had no mask
    drawn: frozenset[int] = field(default_factory=frozenset)  # ids of the objects for which it has a scribble

    @property
    def frame(self) -> int:
        return self.past.interaction.frame


class RoundHistory:
    """All rounds of a session, oldest first, each drawn on one frame.

    Args:
        size: height and width of the probability maps.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        self.size = size
        self.records: list[RoundRecord] = []
        self._own: list[tuple[PackedLabels, dict[int, bytes]]] = []
        self._versions: list[PastRound] = []  # the rounds and the masks that no round made (painted, edited), in order

    def begin(self, engine: str, interaction: Interaction, num_objects: int) -> RoundRecord:
        """Add a round that this session now runs, and return its record. `store` then adds the masks of the round."""
        labels, engine_states = PackedLabels(), dict[int, bytes]()
        self._own.append((labels, engine_states))
        return self.add(PastRound(engine, (interaction,), num_objects, labels, engine_states))

    def end(self) -> int | None:
        """End the round that was begun last.

        If the round made no mask, its record is removed, and the index that it had in `records` is returned. Otherwise
        None is returned.
        """
        if self._own[-1][0]:
            return None
        self._own.pop()
        self.records.pop()
        self._versions.pop()
        return len(self.records)

    def add(self, past: PastRound) -> RoundRecord:
        """Add a stored round, which was drawn on one frame, and return its record."""
        drawn = frozenset(s.object_id for s in past.interaction.scribbles if s.object_id)
        record = RoundRecord(past, self.engine_state(past.interaction.frame), drawn)
        self.records.append(record)
        self._versions.append(past)
        return record

    def adopt(self, labels: Mapping[int, LabelMap], num_objects: int) -> None:
        """Add masks by frame that no round made (painted, edited or imported), as the newest masks of their frames."""
        self._versions.append(PastRound("", (), num_objects, labels))

    def store(self, update: MaskUpdate) -> None:
        """Store a mask of the round that was begun last, and delete the frame's mask from earlier rounds begun here."""
        for labels, engine_states in self._own[:-1]:
            labels.pop(update.frame, None)
            engine_states.pop(update.frame, None)
        labels, engine_states = self._own[-1]
        labels[update.frame] = update.labels
        if update.engine_state is not None:
            engine_states[update.frame] = update.engine_state

    def labels(self, frame: int) -> LabelMap | None:
        """Return the newest mask of a frame, or None if it has none."""
        past = self._newest(frame)
        return None if past is None else past.labels[frame]

    def engine_state(self, frame: int) -> bytes | None:
        """Return the encoded probability maps of a frame's newest mask, or None if the frame has no mask.

        If the mask has no engine state (another engine or a person made it), the maps are computed from the mask.
        """
        past = self._newest(frame)
        if past is None:
            return None
        if frame in past.engine_states:
            return past.engine_states[frame]
        return encode(from_labels(past.labels[frame], past.num_objects, *self.size))

    def probabilities(self, frame: int) -> ProbabilityMaps | None:
        """Return the probability maps [n, h, w] of a frame's newest mask, or None. The mask's round had n objects."""
        engine_state = self.engine_state(frame)
        return None if engine_state is None else decode(engine_state, *self.size)

    def first_drawn(self) -> dict[int, int]:
        """Return, by object id, the index in `records` of the first round with a scribble for the object."""
        first: dict[int, int] = {}
        for index, record in enumerate(self.records):
            for object_id in record.drawn:
                first.setdefault(object_id, index)
        return first

    def covers(self, frame: int, since: int) -> bool:
        """Whether a round in `records[since:-1]`, which leaves out the newest round, has a mask of `frame`."""
        return any(frame in record.past.labels for record in self.records[since:-1])

    def _newest(self, frame: int) -> PastRound | None:
        return next((past for past in reversed(self._versions) if frame in past.labels), None)
