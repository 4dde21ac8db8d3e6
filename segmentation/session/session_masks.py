"""The newest masks of a session, and what people decided about masks (locked frames and constraints).

Every mask of an engine passes through `SessionMasks.settled`, so that a session that stayed open has the same masks as
a session that was rebuilt from the stored masks.
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

LOST = 0.02  # An object whose area is below this fraction of its area where it was last drawn or given is lost.
# The largest confidence of a lost object. It may be hidden, as the mask says, or it was not found. An engine cannot
# tell which of both is true, and may be very sure of an empty mask.
LOST_CONFIDENCE = 0.5


class PreviewMade(Exception):
    """Raised with the mask of a preview to end the engine's round before the mask is stored.

    The round thus changes nothing in the session.
    """

    def __init__(self, update: MaskUpdate) -> None:
        super().__init__(f"preview of frame {update.frame}")
        self.update = update


class SessionMasks:
    """The masks of one session.

    Attributes:
        locked: the masks of accepted (locked) frames, compressed in memory.
        locked_ids: by locked frame, the ids that its mask shows, 0 included.
        constraints: everything else that people decided: fixed pixels, absent and frozen objects.
        standing: the newest mask of every frame that engines or people made, other than `locked`.
        limits: what the current part of the round may change.
        done: the frames that earlier parts of the current round have computed.
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
        self._locked_areas: dict[int, dict[int, int]] = {}  # locked frame -> object id -> pixels
        self._largest_locked: dict[int, int] | None = {}  # object id -> its most pixels in a locked frame; None: stale

    def share(self, other: SessionMasks) -> None:
        """Use the newest masks and the constraints of the session `other` instead of own ones, so that a change in one
        session is seen in both. Each keeps its own locked frames.
        """
        self.constraints, self.standing, self._areas = other.constraints, other.standing, other._areas

    @property
    def known(self) -> frozenset[int]:
        """The ids of the objects that had pixels in a frame where a person drew or gave them."""
        return frozenset(self._areas)

    # --- locked frames --------------------------------------------------------------------------------------------

    def lock(self, frame: int, labels: LabelMap) -> None:
        self.locked[frame], self.locked_ids[frame] = labels, shown_ids(labels)
        sizes = pixel_counts(labels)
        self._locked_areas[frame] = {number: int(sizes[number]) for number in self.locked_ids[frame] if number}
        self._largest_locked = None

    def unlock(self, frame: int) -> None:
        del self.locked[frame], self.locked_ids[frame], self._locked_areas[frame]
        self._largest_locked = None

    def set_absent(self, object_id: int, span: tuple[int, int], absent: bool, video: tuple[int, int]) -> None:
        """Mark an object as absent in a span (first, last), or with `absent` False undo that.

        `video` is the number of frames of the video, and the number of objects.
        """
        length, count = video
        (number,) = checks.checked_ids("object_id", [object_id], count)
        frames = checks.checked_span(span, length)
        self.constraints.set_absent(number, frames.start, frames.stop - 1, absent)

    # --- masks ----------------------------------------------------------------------------------------------------

    def newest(self, frame: int) -> LabelMap:
        """Return the newest mask of a frame that is not locked, uint8 [H, W]; all 0 if it has none."""
        found = self.standing.get(frame)
        return np.zeros(self._size, np.uint8) if found is None else found

    def keeps(self, frame: int) -> bool:
        """Return whether the current part of a round must not change a frame's mask.

        That is so if the frame is locked, or if an earlier part of the round has computed the mask.
        """
        return frame in self.locked or frame in self.done

    def kept(self, frame: int) -> LabelMap:
        """Return the present mask, uint8 [H, W], of a frame for which `keeps` is true."""
        return self.locked[frame] if frame in self.locked else self.newest(frame)

    def agreeing(self, frame: int, labels: LabelMap, count: int) -> LabelMap:
        """Return a mask of an engine after applying people's decisions. `count` is the number of objects."""
        return self.constraints.applied(frame, labels, lambda: self.standing.get(frame), self.limits, count)

    def settled(self, update: MaskUpdate) -> MaskUpdate:
        """Return the update after applying people's decisions to its mask.

        Objects that are fixed or absent in the frame get confidence 1, lost ones LOST_CONFIDENCE at most, and `lost` is
        completed. Nothing is stored yet: `store` does that.
        """
        frame, count = update.frame, len(update.confidence)
        labels = self.agreeing(frame, update.labels, count)
        sure = self._certain(frame)
        sizes = pixel_counts(labels)
        small = {number for number, area in self._known_areas().items() if sizes[number] < LOST * area}
        lost = tuple(sorted((small | set(update.lost)) - sure))
        most = dict.fromkeys(lost, LOST_CONFIDENCE)
        limited = [min(value, most.get(i, 1.0)) for i, value in enumerate(update.confidence, 1)]
        confidence = tuple(1.0 if i in sure else value for i, value in enumerate(limited, 1))
        return replace(update, labels=labels, confidence=confidence, lost=lost)

    def store(self, update: MaskUpdate) -> None:
        """Store a mask that `settled` returned as the newest mask of its frame."""
        if update.frame == self.limits.frame:
            self.measure(self.limits.drawn, update.labels)
        self.standing.store(update.frame, update.labels)

    def restore(self, interaction: Interaction, labels: Mapping[int, LabelMap]) -> None:
        """Make the masks of a stored round, which was drawn on one frame, the newest masks of their frames."""
        self.standing.add(labels)
        if interaction.frame in labels:
            self.measure((s.object_id for s in interaction.scribbles), labels[interaction.frame])

    def measure(self, ids: Iterable[int], labels: LabelMap) -> None:
        """Remember the areas of the objects `ids` in a drawn or given mask, to find out later which are lost."""
        sizes = pixel_counts(labels)
        self._areas.update({number: int(sizes[number]) for number in ids if number and sizes[number]})

    def _known_areas(self) -> dict[int, int]:
        """Return how many pixels each known object has in the frame where it was last drawn or given.

        For an object that was never drawn or given, this is its largest number of pixels in a locked frame.
        """
        if self._largest_locked is None:
            largest: dict[int, int] = {}
            for areas in self._locked_areas.values():
                for number, area in areas.items():
                    largest[number] = max(area, largest.get(number, 0))
            self._largest_locked = largest
        return self._largest_locked | self._areas

    # --- interactions ---------------------------------------------------------------------------------------------

    def as_drawn(self, interaction: Interaction) -> Interaction:
        """Return the interaction with scribbles only: clicks and boxes are converted to scribbles.

        If it has no scribble, click or box, it gets scribbles through the objects of `started_from`. Ids and frames
        become Python's int, because arithmetic with NumPy's uint8 would overflow at 256.
        """
        frame = int(interaction.frame)
        if interaction.clicks or interaction.boxes:
            interaction = as_scribbles(interaction, self.newest(frame))
        scribbles = interaction.scribbles
        if not scribbles:
            scribbles = strokes_of(self.newest(frame), self.started_from(frame))
        plain = (Scribble(int(each.object_id), np.asarray(each.path, np.float64), each.keeps) for each in scribbles)
        return Interaction(frame, tuple(plain))

    def started_from(self, frame: int) -> frozenset[int]:
        """Return the objects that an interaction without prompts propagates from a frame.

        These are the objects given in the frame, or all objects of its mask if none was given.
        """
        shown = shown_ids(self.newest(frame)) - {0}
        return (shown & self.constraints.given_ids(frame)) or shown

    # --- fixed masks, from which engines learn --------------------------------------------------------------------

    def sure_frames(self) -> dict[int, frozenset[int]]:
        """Return the frames that are locked (accepted) or have pixels that a person fixed, each with the ids of these
        pixels.
        """
        fixed = {frame: ids for frame, ids in self.constraints.shown.items() if frame not in self.locked}
        return {**self.locked_ids, **fixed}

    def sure_labels(self, frame: int) -> LabelMap:
        """Return the fixed pixels of a frame of `sure_frames` as a mask, uint8 [H, W], 0 elsewhere."""
        found = self.locked[frame] if frame in self.locked else self.constraints.fixed_labels(frame)
        assert found is not None, "no pixel of this frame is fixed"
        return found

    def spoken_of(self, frame: int, count: int) -> frozenset[int]:
        """Return the ids of the objects whose pixels in a frame are fixed; an object may be fixed without any pixel.

        In a locked frame these are all ids 1..`count`.
        """
        if frame in self.locked:
            return frozenset(range(1, count + 1))
        return self.constraints.fixed_ids(frame)

    def _certain(self, frame: int) -> frozenset[int]:
        return self.constraints.fixed_ids(frame) | self.constraints.absent_ids(frame)
