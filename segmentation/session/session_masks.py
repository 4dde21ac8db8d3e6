"""The newest masks of a session, and what people decided about masks.

Every mask of an engine passes through `settled`, so that a session that was kept and a session that was rebuilt from
stored masks know the same ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from segmentation.masks import pixel_counts, shown_ids
from segmentation.session import checks
from segmentation.session.constraints import Constraints, RoundLimits
from segmentation.session.packed_labels import PackedLabels
from segmentation.session.prompts import as_scribbles, strokes_of
from segmentation.session.standing_masks import StandingMasks
from segmentation.types import Interaction, LabelMap, MaskUpdate, Scribble

LOST = 0.02  # An object with a smaller share of its size in the frame where it was drawn last is lost.


class PreviewMade(Exception):
    """The mask of a preview. It ends the engine's round before the mask is stored, so the round leaves no trace."""

    def __init__(self, update: MaskUpdate) -> None:
        super().__init__(f"preview of frame {update.frame}")
        self.update = update


class SessionMasks:
    """The masks of one session.

    Attributes:
        locked: the masks of accepted frames. They are compressed, because a team may accept every frame of a long
            video, and they are not among the standing masks.
        locked_ids: for each of them, the ids in its mask, 0 included.
        constraints: everything else that people decided.
        standing: the newest mask of every frame.
        limits: what the round that runs may change.
        done: the frames that the round that runs has drawn already.
    """

    def __init__(self, height: int, width: int) -> None:
        self._size = height, width
        self.locked = PackedLabels()
        self.locked_ids: dict[int, frozenset[int]] = {}
        self.constraints = Constraints()
        self.standing = StandingMasks()
        self.limits = RoundLimits()
        self.done: frozenset[int] = frozenset()
        self._areas: dict[int, int] = {}  # object id -> pixels in the frame where it was drawn or given last

    def share(self, other: SessionMasks) -> None:
        """Use the standing masks of another session, and what people decided there, except for locked frames."""
        self.constraints, self.standing, self._areas = other.constraints, other.standing, other._areas

    @property
    def known(self) -> frozenset[int]:
        """The objects that have been drawn or given."""
        return frozenset(self._areas)

    # --- locked frames --------------------------------------------------------------------------------------------

    def lock(self, frame: int, labels: LabelMap) -> None:
        self.locked[frame], self.locked_ids[frame] = labels, shown_ids(labels)

    def unlock(self, frame: int) -> None:
        del self.locked[frame], self.locked_ids[frame]

    def set_absent(self, object_id: int, span: tuple[int, int], absent: bool, video: tuple[int, int]) -> None:
        """Say that an object is absent from a span, or that it is not. `video` is its number of frames and objects."""
        length, count = video
        (number,) = checks.checked_ids("object_id", [object_id], count)
        frames = checks.checked_span(span, length)
        self.constraints.set_absent(number, frames.start, frames.stop - 1, absent)

    # --- masks ----------------------------------------------------------------------------------------------------

    def newest(self, frame: int) -> LabelMap:
        """Return the newest mask of a frame that is not locked, uint8 [H, W], empty where there is none."""
        found = self.standing.get(frame)
        return np.zeros(self._size, np.uint8) if found is None else found

    def keeps(self, frame: int) -> bool:
        """Whether the round must not change the mask of a frame: it is locked, or this round has drawn it already."""
        return frame in self.locked or frame in self.done

    def kept(self, frame: int) -> LabelMap:
        """Return the mask of a frame for which `keeps` is true."""
        return self.locked[frame] if frame in self.locked else self.newest(frame)

    def agreeing(self, frame: int, labels: LabelMap, count: int) -> LabelMap:
        """Return a mask of an engine as far as it agrees with what people decided; `count` is that of objects."""
        return self.constraints.applied(frame, labels, lambda: self.standing.get(frame), self.limits, count)

    def settled(self, update: MaskUpdate) -> MaskUpdate:
        """Return the update with a mask that agrees with what people decided.

        Objects that are fixed or absent in the frame get confidence 1. `store` makes it the newest one.
        """
        frame, count = update.frame, len(update.confidence)
        labels = self.agreeing(frame, update.labels, count)
        sure = self._certain(frame)
        confidence = tuple(1.0 if i in sure else value for i, value in enumerate(update.confidence, 1))
        sizes = pixel_counts(labels)
        small = {number for number, area in self._areas.items() if sizes[number] < LOST * area}
        lost = tuple(sorted((small | set(update.lost)) - sure))
        return replace(update, labels=labels, confidence=confidence, lost=lost)

    def store(self, update: MaskUpdate) -> None:
        """Make a settled mask the newest one of its frame."""
        if update.frame == self.limits.frame:
            self.measure(self.limits.drawn, update.labels)
        self.standing.store(update.frame, update.labels)

    def restore(self, interaction: Interaction, labels: Mapping[int, LabelMap]) -> None:
        """Take the masks of a stored round that was drawn on one frame."""
        self.standing.add(labels)
        if interaction.frame in labels:
            self.measure((s.object_id for s in interaction.scribbles), labels[interaction.frame])

    def measure(self, ids: Iterable[int], labels: LabelMap) -> None:
        """Remember how large objects are where a person drew them or gave their masks."""
        sizes = pixel_counts(labels)
        self._areas.update({number: int(sizes[number]) for number in ids if number and sizes[number]})

    # --- interactions ---------------------------------------------------------------------------------------------

    def as_drawn(self, interaction: Interaction) -> Interaction:
        """Return the interaction with scribbles only, and with Python's int for ids and indices.

        Arithmetic with an index of type uint8 would overflow at 256. Without any prompt, scribbles are drawn through
        the objects of the frame's mask.
        """
        frame = int(interaction.frame)
        if interaction.clicks or interaction.boxes:
            interaction = as_scribbles(interaction, self.newest(frame))
        scribbles = interaction.scribbles
        if not scribbles:
            scribbles = strokes_of(self.newest(frame), self.started_from(frame))
        plain = (Scribble(int(each.object_id), np.asarray(each.path, np.float64)) for each in scribbles)
        return Interaction(frame, tuple(plain))

    def started_from(self, frame: int) -> frozenset[int]:
        """Return the objects from whose masks a round without prompts starts: those given in its frame, else all."""
        shown = shown_ids(self.newest(frame)) - {0}
        return (shown & self.constraints.given_ids(frame)) or shown

    # --- fixed masks, from which engines learn --------------------------------------------------------------------

    def sure_frames(self) -> dict[int, frozenset[int]]:
        """Return the frames in which masks of objects are fixed, with the ids that these masks show."""
        fixed = {frame: ids for frame, ids in self.constraints.shown.items() if frame not in self.locked}
        return {**self.locked_ids, **fixed}

    def sure_labels(self, frame: int) -> LabelMap:
        """Return the fixed pixels of a frame of `sure_frames`, 0 elsewhere."""
        found = self.locked[frame] if frame in self.locked else self.constraints.fixed_labels(frame)
        assert found is not None, "no pixel of this frame is fixed"
        return found

    def spoken_of(self, frame: int, count: int) -> frozenset[int]:
        """Return which of `count` objects have known pixels in a frame by fixed masks, also those that it lacks."""
        if frame in self.locked:
            return frozenset(range(1, count + 1))
        return self.constraints.fixed_ids(frame)

    def _certain(self, frame: int) -> frozenset[int]:
        return self.constraints.fixed_ids(frame) | self.constraints.absent_ids(frame)
