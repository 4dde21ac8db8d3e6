"""The state of a STAR session between rounds.

It can be rebuilt from stored rounds and accepted frames alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from segmentation.session.standing_masks import StandingMasks
from segmentation.types import Interaction, LabelMap, MaskUpdate, PastRound, Scribble


class SessionState:
    """The newest mask and engine state of every frame, all scribbles, and the annotated frames with their objects.

    `standing` are the newest masks of the session, which other parts of the session keep up to date.
    """

    def __init__(self, standing: StandingMasks) -> None:
        self._standing = standing
        self._states: dict[int, bytes] = {}
        self.scribbles: dict[int, list[Scribble]] = {}
        self.drawn: set[int] = set()  # ids of all objects that have scribbles
        # By annotated frame, oldest annotation first: the objects of which the mask tells where they are, or that they
        # are not there.
        self.annotated: dict[int, frozenset[int]] = {}

    def labels(self, frame: int) -> LabelMap | None:
        """Return the newest mask of `frame`, or None if it has none."""
        return self._standing.get(frame)

    def engine_state(self, frame: int) -> bytes | None:
        """Return STAR's engine state of the newest mask of `frame`.

        It is None if the frame has no mask, or if STAR did not make it.
        """
        return self._states.get(frame)

    def keep(self, update: MaskUpdate) -> None:
        """Keep the engine state of `update`, the newest mask of its frame."""
        if update.engine_state is None:
            self._states.pop(update.frame, None)
        else:
            self._states[update.frame] = update.engine_state

    def annotate(self, interaction: Interaction, accepted: bool) -> Callable[[], None]:
        """Record an interaction, and return a function that undoes the record.

        From then on the mask of the frame tells where the objects are that have scribbles in it. If the frame had a
        mask before, the person has looked at it, so that it also tells where all objects are that were drawn before, in
        any frame. If the frame is `accepted`, its mask stays the same and only the scribbles are recorded.
        """
        frame = interaction.frame
        before = set(self.drawn), dict(self.annotated)
        looked_at = self.drawn if frame in self._standing else set[int]()
        self.scribbles.setdefault(frame, []).extend(interaction.scribbles)
        here = {scribble.object_id for scribble in self.scribbles[frame]} - {0}
        if not accepted:
            self.annotated.pop(frame, None)  # So that the frame annotated last becomes the last key.
            self.annotated[frame] = frozenset(looked_at | here)
        self.drawn |= here

        def undo() -> None:
            del self.scribbles[frame][len(self.scribbles[frame]) - len(interaction.scribbles) :]
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
        """Forget the engine states of frames whose masks were painted or edited."""
        for frame in frames:
            self._states.pop(frame, None)
