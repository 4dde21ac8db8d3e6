"""The state of a STAR session between rounds. It can be rebuilt from the stored rounds and accepted frames alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from segmentation.session.packed_labels import PackedLabels
from segmentation.types import Interaction, LabelMap, MaskUpdate, PastRound, Scribble


class SessionState:
    """The newest mask and engine state of every frame, all scribbles, and the annotated frames with their objects."""

    def __init__(self) -> None:
        self._labels: dict[int, Mapping[int, LabelMap]] = {}  # by frame: the mapping that holds its newest mask
        self._states: dict[int, bytes] = {}
        self._own = PackedLabels()
        self.scribbles: dict[int, list[Scribble]] = {}
        self.drawn: set[int] = set()  # ids of the objects that were ever drawn
        self.annotated: dict[int, frozenset[int]] = {}  # by frame, oldest first: the objects that its mask speaks of

    def labels(self, frame: int) -> LabelMap | None:
        """Return the newest mask of `frame`, or None."""
        found = self._labels.get(frame)
        return None if found is None else found[frame]

    def engine_state(self, frame: int) -> bytes | None:
        """Return STAR's engine state for the newest mask of `frame`; None if there is no mask, or another engine made
        it.
        """
        return self._states.get(frame)

    def keep(self, update: MaskUpdate) -> None:
        self._own[update.frame] = update.labels
        self._labels[update.frame] = self._own
        if update.engine_state is None:
            self._states.pop(update.frame, None)
        else:
            self._states[update.frame] = update.engine_state

    def annotate(self, interaction: Interaction, accepted: bool) -> Callable[[], None]:
        """Record an interaction, and return a function that undoes this.

        The mask of the frame then counts for all objects that have been drawn so far, because the person has looked at
        it. On an `accepted` frame scribbles change nothing.
        """
        frame = interaction.frame
        before = set(self.drawn), dict(self.annotated)
        self.scribbles.setdefault(frame, []).extend(interaction.scribbles)
        self.drawn |= {scribble.object_id for scribble in interaction.scribbles} - {0}
        if not accepted:
            self.annotated.pop(frame, None)  # The newest frame is the last key.
            self.annotated[frame] = frozenset(self.drawn)

        def undo() -> None:
            del self.scribbles[frame][-len(interaction.scribbles) :]
            self.drawn, self.annotated = before

        return undo

    def restore(self, past: PastRound) -> None:
        frame = past.interaction.frame
        self.annotate(past.interaction, accepted=frame not in past.labels)
        for stored in past.labels:
            self._own.pop(stored, None)
            self._labels[stored] = past.labels
            if stored in past.engine_states:
                self._states[stored] = past.engine_states[stored]
            else:
                self._states.pop(stored, None)
