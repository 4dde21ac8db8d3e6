"""Applies to an engine's masks what people decided, which no engine may change.

A person may fix the pixels of objects in a frame (given and locked objects), mark an object as absent in a span of
frames, and freeze an object in the whole video. `Constraints.applied` changes a mask of an engine accordingly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from segmentation.masks import shown_ids
from segmentation.scribbles import NO_SCRIBBLE, rasterise
from segmentation.session.packed_labels import PackedLabels
from segmentation.types import Interaction, LabelMap

NOBODY: frozenset[int] = frozenset()
Window = tuple[float, float, float, float]  # x0, y0, x1, y1 in 0..1: the box outside of which an object has no pixel


@dataclass(frozen=True, eq=False)
class RoundLimits:
    """What the current part of a round may change, and the frame on which it was drawn.

    Args:
        objects: ids of the objects that may change; None: all objects.
        frame: the frame that was drawn on.
        drawn: ids of the objects that were drawn there.
        windows: boxes that were drawn in `frame`, by the id of the object in the box.
        fill: a mask of `frame`, uint8 [H, W], with the objects that this round draws in other frames only. In `frame`
            they get those of their pixels in `fill` that no other object has. None: there are no such objects.
    """

    objects: frozenset[int] | None = None
    frame: int | None = None
    drawn: frozenset[int] = NOBODY
    windows: Mapping[int, Window] = field(default_factory=dict)
    fill: LabelMap | None = None


class Constraints:
    """The decisions of people in one session: fixed pixels, absent spans and frozen objects."""

    def __init__(self) -> None:
        self._given = _FixedPixels()
        self._locked = _FixedPixels()
        self._absent: dict[int, list[tuple[int, int]]] = {}
        self.frozen: frozenset[int] = NOBODY

    # --- fixed pixels ---------------------------------------------------------------------------------------------

    def give(self, frame: int, labels: LabelMap, ids: frozenset[int]) -> None:
        """Fix the pixels of the objects `ids` in a frame as in `labels`.

        A later scribble for an object, or across its pixels, releases it in this frame (`released_by`).
        """
        self._given.add(frame, labels, ids)

    def release(self, frame: int, ids: Iterable[int]) -> None:
        """Undo `give` for the objects `ids` in a frame: rounds may change their pixels again."""
        self._given.remove(frame, frozenset(ids))

    def released_by(self, interaction: Interaction) -> tuple[LabelMap, frozenset[int]] | None:
        """Release the given objects for which an interaction has a scribble, or over which another id's scribble runs.

        Objects that were given after a scribble was drawn (`Scribble.keeps`) are not released by it.

        Returns the given pixels of the frame as they were, uint8 [H, W], and the ids of the released objects, or None
        if no object was released.
        """
        frame, given = interaction.frame, self.given_ids(interaction.frame)
        if not given:
            return None
        labels = self._given.labels[frame]
        ids: frozenset[int] = NOBODY
        for keeps in {scribble.keeps for scribble in interaction.scribbles}:
            scribbles = [scribble for scribble in interaction.scribbles if scribble.keeps == keeps]
            raster = rasterise(scribbles, *labels.shape)
            under = labels[(raster != NO_SCRIBBLE) & (raster != labels)]
            ids |= {scribble.object_id for scribble in scribbles}.union(np.unique(under).tolist()) - keeps
        ids &= given
        self.release(frame, ids)
        return (labels, ids) if ids else None

    def lock(self, frame: int, labels: LabelMap, ids: frozenset[int]) -> None:
        """Fix the pixels of the objects `ids` in a frame as in `labels` until `unlock`, whatever is drawn there."""
        self._locked.add(frame, labels, ids)

    def unlock(self, frame: int, ids: Iterable[int]) -> None:
        self._locked.remove(frame, frozenset(ids))

    def given_ids(self, frame: int) -> frozenset[int]:
        return self._given.ids.get(frame, NOBODY)

    def locked_ids(self, frame: int) -> frozenset[int]:
        return self._locked.ids.get(frame, NOBODY)

    def fixed_ids(self, frame: int) -> frozenset[int]:
        """Return the ids of the objects whose pixels are given or locked in `frame`."""
        return self.given_ids(frame) | self.locked_ids(frame)

    def fixed_labels(self, frame: int) -> LabelMap | None:
        """Return the fixed pixels of `frame` with their ids, 0 elsewhere; None where nothing is fixed."""
        given, locked = self._given.labels.get(frame), self._locked.labels.get(frame)
        if given is None or locked is None:
            return given if locked is None else locked
        return np.where(locked > 0, locked, given)

    @property
    def shown(self) -> dict[int, frozenset[int]]:
        """The ids of the fixed objects that have at least one pixel, by frame."""
        given, locked = self._given.shown, self._locked.shown
        return {frame: given.get(frame, NOBODY) | locked.get(frame, NOBODY) for frame in sorted({*given, *locked})}

    # --- absence --------------------------------------------------------------------------------------------------

    def set_absent(self, object_id: int, first: int, last: int, absent: bool) -> None:
        """Mark an object as absent in frames `first` to `last`, both included, or with `absent` False undo that."""
        spans = [
            part
            for begin, end in self._absent.get(object_id, [])
            for part in ((begin, min(end, first - 1)), (max(begin, last + 1), end))
            if part[0] <= part[1]
        ]
        self._absent[object_id] = sorted([*spans, (first, last)]) if absent else spans

    def absent_ids(self, frame: int) -> frozenset[int]:
        return frozenset(
            number for number, spans in self._absent.items() if any(first <= frame <= last for first, last in spans)
        )

    # --- masks ----------------------------------------------------------------------------------------------------

    def applied(
        self,
        frame: int,
        labels: LabelMap,
        standing: Callable[[], LabelMap | None],
        limits: RoundLimits,
        count: int,
    ) -> LabelMap:
        """Return the mask that an engine computed for a frame, changed so that it agrees with people's decisions.

        Fixed pixels have priority over everything else. Objects that may not change keep their pixels of the frame's
        earlier mask, and an absent object has no pixels. Pixels that an object loses become background.

        Args:
            labels: the mask of the engine, uint8 [H, W]. The array is not modified.
            standing: returns the mask that the frame had before, or None.
            limits: what the round may change.
            count: the number of objects.

        Returns:
            uint8 [H, W]; the array `labels` itself if nothing had to change.
        """
        result = _Drawing(labels)
        kept = self.frozen
        if limits.objects is not None:
            kept = kept | (frozenset(range(1, count + 1)) - limits.objects)
        if kept:
            result.replace(kept, standing())
        if frame == limits.frame:
            for object_id, window in limits.windows.items():
                result.cut(object_id, window)
            if limits.fill is not None:
                result.fill(limits.fill)
        fixed = self.fixed_ids(frame)
        result.replace(self.absent_ids(frame) - fixed, None)
        if fixed:
            result.replace(fixed, self.fixed_labels(frame))
        return result.labels


class _FixedPixels:
    """The objects with fixed pixels in each frame, and these pixels."""

    def __init__(self) -> None:
        self.labels = PackedLabels()  # by frame, a mask with the pixels of the fixed objects only
        self.ids: dict[int, frozenset[int]] = {}
        self.shown: dict[int, frozenset[int]] = {}  # by frame, the ids in `ids` that have pixels

    def add(self, frame: int, labels: LabelMap, ids: frozenset[int]) -> None:
        new = _only(labels, ids)
        before = self.ids.get(frame, NOBODY) - ids
        if before:
            new = np.where(new > 0, new, _only(self.labels[frame], before))
        self._put(frame, new, before | ids)

    def remove(self, frame: int, ids: frozenset[int]) -> None:
        left = self.ids.get(frame, NOBODY) - ids
        if left:
            self._put(frame, _only(self.labels[frame], left), left)
        else:
            self.labels.pop(frame, None)
            self.ids.pop(frame, None)
            self.shown.pop(frame, None)

    def _put(self, frame: int, labels: LabelMap, ids: frozenset[int]) -> None:
        self.labels[frame], self.ids[frame], self.shown[frame] = labels, ids, shown_ids(labels) - {0}


def with_pixels(labels: LabelMap, source: LabelMap, ids: frozenset[int]) -> LabelMap:
    """Return the mask `labels`, changed so that the objects `ids` have exactly their pixels in the mask `source`."""
    drawing = _Drawing(labels)
    drawing.replace(ids, source)
    return drawing.labels


class _Drawing:
    """A mask to be changed. The array that it was made from is copied before the first change."""

    def __init__(self, labels: LabelMap) -> None:
        self.labels = labels
        self._own = False

    def replace(self, ids: frozenset[int], source: LabelMap | None) -> None:
        """Give the objects `ids` the pixels that they have in the mask `source`, or no pixels if it is None."""
        if not ids:
            return
        here, there = _only(self.labels, ids), None if source is None else _only(source, ids)
        if not here.any() if there is None else np.array_equal(here, there):
            return
        self._change()
        self.labels -= here  # the former pixels of these objects become 0
        if there is not None:
            np.copyto(self.labels, there, where=there > 0)

    def cut(self, object_id: int, window: Window) -> None:
        """Remove from the frame's mask the pixels of an object outside of the box `window`."""
        height, width = self.labels.shape
        x0, y0, x1, y1 = window
        outside = self.labels == object_id
        rows = slice(int(np.floor(y0 * (height - 1))), int(np.ceil(y1 * (height - 1))) + 1)
        columns = slice(int(np.floor(x0 * (width - 1))), int(np.ceil(x1 * (width - 1))) + 1)
        outside[rows, columns] = False
        if outside.any():
            self._change()
            self.labels[outside] = 0

    def fill(self, source: LabelMap) -> None:
        """Change this mask: its background pixels take their values in the mask `source`. Pixels of objects stay."""
        empty = (self.labels == 0) & (source > 0)
        if empty.any():
            self._change()
            self.labels[empty] = source[empty]

    def _change(self) -> None:
        if not self._own:
            self.labels, self._own = self.labels.copy(), True


def _only(labels: LabelMap, ids: frozenset[int]) -> LabelMap:
    """Return a copy of a mask with the pixels of the objects `ids` only, and 0 elsewhere."""
    import cv2  # The web process lists engines without it.

    table = np.zeros(256, np.uint8)
    table[list(ids)] = list(ids)
    return np.asarray(cv2.LUT(labels, table), np.uint8)
