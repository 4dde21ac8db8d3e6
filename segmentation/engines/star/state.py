"""The state of a STAR session between rounds. It can be rebuilt from the stored rounds and accepted frames alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from segmentation.session.standing_masks import StandingMasks
from segmentation.types import Interaction, LabelMap, MaskUpdate, PastRound, Scribble


class SessionState:
    """The newest mask and engine state of every frame, all scribbles, and the annotated frames with their objects."""

    def __init__(self, standing: StandingMasks) -> None:
        self._standing = standing
        self._states: dict[int, bytes] = {}
        self.scribbles: dict[int, list[Scribble]] = {}
        self.drawn: set[int] = set()  # ids of the objects that were ever drawn
        self.annotated: dict[int, frozenset[int]] = {}  # by frame, oldest first: the objects that its mask speaks of

    def labels(self, frame: int) -> LabelMap | None:
        """Return the newest mask of `frame`, or None."""
        return self._standing.get(frame)

    def engine_state(self, frame: int) -> bytes | None:
        """Return STAR's engine state for the newest mask of `frame`; None if there is no mask, or another engine made
        it.
        """
        return self._states.get(frame)

    def keep(self, update: MaskUpdate) -> None:
        """Keep the engine state of a mask that has become the newest one of its frame."""
        if update.engine_state is None:
            self._states.pop(update.frame, None)
        else:
            self._states[update.frame] = update.engine_state

    def annotate(self, interaction: Interaction, accepted: bool) -> Callable[[], None]:
        """Record an interaction, and return a function that undoes this.

        The mask of the frame then counts for the objects that were drawn in it, and for all that had been drawn before
        if the frame had a mask already, because the person has looked at it. On an `accepted` frame scribbles change
        nothing.
        """
        frame = interaction.frame
        before = set(self.drawn), dict(self.annotated)
        looked_at = self.drawn if frame in self._standing else set[int]()
        self.scribbles.setdefault(frame, []).extend(interaction.scribbles)
        here = {scribble.object_id for scribble in self.scribbles[frame]} - {0}
        if not accepted:
            self.annotated.pop(frame, None)  # The newest frame is the last key.
            self.annotated[frame] = frozenset(looked_at | here)
        self.drawn |= here

        def undo() -> None:
            del self.scribbles[frame][-len(interaction.scribbles) :]
            self.drawn, self.annotated = before

        return undo

    def restore(self, past: PastRound) -> None:
        frame = past.interaction.frame
        self.annotate(past.interaction, accepted=frame not in past.labels)
        for stored in past.labels:
            if stored in past.engine_states:
                self._states[stored] = past.engine_states[stored]
            else:
                self._states.pop(stored, None)

    def forget(self, frames: Iterable[int]) -> None:
        """Forget the engine states of frames that got masks which no round made."""
        for frame in frames:
            self._states.pop(frame, None)
