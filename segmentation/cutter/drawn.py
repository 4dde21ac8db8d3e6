"""An engine whose annotated frames are drawn by the cutter, whoever carries them on.

Small networks understand scribbles badly: at 1/16 of the size, little is left of an object and less of a stroke. The
cutter sees the object at full size, with GrabCut's mask beside it. What it draws serves the engine behind it as an
accepted frame does: as memory, as references, as samples, and as the masks that it starts from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import torch
from numpy.typing import NDArray

from segmentation.classical.drawing import Drawing, Sketch
from segmentation.classical.history import UNKNOWN, History
from segmentation.classical.picture import Pictures, Sizes
from segmentation.cutter.cutting import Cutter, finish
from segmentation.cutter.fastest import fast_cutter
from segmentation.device import choose_device
from segmentation.engine import Engine
from segmentation.networks.shared import shared_network
from segmentation.types import Interaction, LabelMap, MaskUpdate, PastRound
from segmentation.weights import CUTTER


class DrawnEngine(Engine):
    """A session of another engine, whose name it has.

    A frame that was annotated keeps what was drawn there until it is drawn on again. When an object is drawn for the
    first time, frames that were annotated before it are the engine's own again: nobody said whether it is there.

    Options:
        inner: a fresh session of the engine that makes the masks of all other frames; closed with this one.
        cutter: its own copy, or a shared one that nobody changes.
    """

    name = ""

    def _setup(self, inner: Engine, cutter: Cutter) -> None:
        self.name, self._inner, self._cutter = inner.name, inner, cutter
        size = self.frames.height, self.frames.width
        self._pictures = Pictures(self.frames, Sizes.of(*size, self.settings.max_side))
        self._history = History(*size, self.settings.cache_dir)
        self._held: dict[int, frozenset[int]] = {}  # annotated frames, and the objects that were known then

    @property
    def nbytes(self) -> int:
        return self._inner.nbytes + self._pictures.nbytes

    def close(self) -> None:
        self._inner.close()
        self._history.close()

    # --- rounds ---------------------------------------------------------------------------------------------------

    def _run(self, interaction: Interaction) -> Iterator[MaskUpdate]:
        self._inner.num_objects = self.num_objects
        if interaction.frame in self.locked:
            self._note(interaction, None)
        else:
            yield self._draw(interaction)
        if len(self._inner.locked) == len(self.frames):
            return  # there is nothing left to find
        for update in self._inner.run_round(interaction):
            self._history.keep(update)
            yield update

    def _draw(self, interaction: Interaction) -> MaskUpdate:
        """The mask of the interacted frame, which is held from now on."""
        frame = interaction.frame
        earlier, before = self._history.strokes.get(frame, []), self._history.mask(frame)
        drawing = Drawing(self._pictures, frame, earlier, interaction.scribbles, before, self.settings.seed)
        labels = drawing.labels(self._finish)
        drawn = {scribble.object_id for scribble in (*earlier, *interaction.scribbles)}
        sure = tuple(1.0 if number in drawn else UNKNOWN for number in range(1, self.num_objects + 1))
        update = MaskUpdate(frame, labels, sure)
        self._note(interaction, labels)
        self._history.keep(update)
        self._hold(frame, labels)
        return update

    def _note(self, interaction: Interaction, labels: LabelMap | None) -> None:
        self._history.annotate(interaction, labels)
        self._history.draw(interaction)

    @torch.inference_mode()
    def _finish(self, frame: int, sketch: Sketch) -> NDArray[Any]:
        return finish(self._cutter, self._pictures[frame], sketch)

    def _restore(self, past: PastRound) -> None:
        self._inner.num_objects = self.num_objects
        self._history.restore(replace(past, memos={}))  # those are of the engine behind this one
        frame = past.interaction.frame
        if frame in past.labels:
            self._hold(frame, past.labels[frame])
        self._inner.restore([replace(past, labels=_Without(past.labels, frame))])  # it never saw that mask as its own

    # --- annotated frames -----------------------------------------------------------------------------------------

    def _hold(self, frame: int, labels: LabelMap) -> None:
        """Hold the mask of a frame that was annotated; let go of those that say nothing about an object known now."""
        known = frozenset(self._history.annotated)
        self._held[frame] = known
        if frame not in self.locked:
            self._inner.lock(frame, labels)
        for other in [f for f, objects in self._held.items() if objects < known]:
            del self._held[other]
            if other not in self.locked:
                self._inner.unlock(other)

    def _locked_changed(self, frame: int) -> None:
        held = self._history.mask(frame) if frame in self._held else None
        if frame in self.locked:
            self._inner.lock(frame, self.locked[frame])
        elif held is not None:
            self._inner.lock(frame, held)
        else:
            self._inner.unlock(frame)


def drawn(inner: Engine) -> DrawnEngine:
    """`inner`, a fresh session, with the cutter whose weights are found. Raises WeightsMissing."""
    device = choose_device(inner.settings.device)
    cutter = shared_network(Cutter, CUTTER, None, device, torch.float32, fast_cutter)
    return DrawnEngine(inner.frames, inner.num_objects, inner.settings, inner=inner, cutter=cutter)


class _Without(Mapping[int, LabelMap]):
    """Masks of a stored round, read when they are asked for, without that of one frame."""

    def __init__(self, labels: Mapping[int, LabelMap], frame: int) -> None:
        self._labels, self._frame = labels, frame

    def __getitem__(self, frame: int) -> LabelMap:
        if frame == self._frame:
            raise KeyError(frame)
        return self._labels[frame]

    def __iter__(self) -> Iterator[int]:
        return (frame for frame in self._labels if frame != self._frame)

    def __len__(self) -> int:
        return len(self._labels) - (self._frame in self._labels)
