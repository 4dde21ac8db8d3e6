"""Rounds of classical vision: GrabCut where a person drew, then optical flow and appearance models frame by frame.

A round cuts the frame that was drawn on and walks from it to either side. For every object it touched, a walk ends
where that object was annotated (or its mask accepted) before; in between, the new result counts less, the nearer the
older annotation is. What an earlier round that was cancelled never reached is filled in on the way.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import AbstractContextManager, closing, nullcontext

import numpy as np
from numpy.typing import NDArray

from segmentation.classical.drawing import Drawing, Finish
from segmentation.classical.fits import Fits
from segmentation.classical.flows import Flows
from segmentation.classical.history import History, noted
from segmentation.classical.picture import Pictures, Sizes
from segmentation.classical.walk import Change, Refine, Scene, Walk
from segmentation.engine import Engine
from segmentation.runtime.parallel import HelperThread
from segmentation.types import Interaction, LabelMap, MaskUpdate, PastRound

MODELS_BYTES = 48 << 20  # models of annotated frames (`fits.KEPT`), and maps of a round with a few objects
FLOWS_BYTES = 64 << 20  # of 200 frames at 480p


class ClassicalEngine(Engine):
    """See the module. A subclass may refine what is found in each frame (`_refiner`)."""

    def _setup(self) -> None:
        sizes = Sizes.of(self.frames.height, self.frames.width, self.settings.max_side)
        self._pictures = Pictures(self.frames, sizes)
        self._flows = Flows(self._pictures, FLOWS_BYTES)
        self._fits = Fits(self._pictures)
        self._history = History(self.frames.height, self.frames.width, self.settings.cache_dir)

    @property
    def nbytes(self) -> int:
        """What the session may come to hold: kept pictures and models of annotated frames; masks are on disk."""
        return self._pictures.nbytes + MODELS_BYTES + FLOWS_BYTES

    def close(self) -> None:
        self._history.close()

    def _run(self, interaction: Interaction) -> Iterator[MaskUpdate]:
        start = interaction.frame
        update = self._start(interaction)
        before = self._history.mask(start)
        touched = self._history.annotate(interaction, None if start in self.locked else update.labels)
        self._history.draw(interaction)
        made = start not in self.locked
        if made:
            self._history.keep(update)
        try:
            yield update
            with closing(self._walked(start, before, touched, update)) as steps:
                for step in steps:
                    made = True
                    self._history.keep(step)
                    yield step
        finally:
            if not made:
                self._history.take_back(interaction)

    def _walked(
        self, start: int, before: LabelMap | None, touched: set[int], update: MaskUpdate
    ) -> Generator[MaskUpdate]:
        """What the walks to both sides find. `before` and `update`: the mask of the start frame, before and now."""
        # This round's own: an older round that nobody closed must not take its thread away.
        self._helper = HelperThread(self._halved)
        scene = Scene(
            self._pictures,
            self._flows,
            self._fits,
            self._history,
            self._helper,
            self.locked,
            self.locked_ids,
            self.num_objects,
            self._refiner(),
            self._prepare,
        )
        removed = {} if before is None else {o: before == o for o in touched if not (update.labels == o).any()}
        changes = {o: _change(None if before is None else before == o, update.labels == o) for o in touched}
        walks = [Walk(scene, start, direction, changes, removed) for direction in (1, -1)]
        self._history.fetch(set().union(*self._history.annotated.values()))
        with self._helper:
            while walks := [walk for walk in walks if walk.more()]:
                for step in self._steps(walks):
                    if step is not None:
                        yield step

    def _steps(self, walks: Sequence[Walk]) -> Sequence[MaskUpdate | None]:
        """The next step of each of one or two walks. Neither sees what the other one finds in this step."""
        self._history.fetch(walk.next for walk in walks)
        if len(walks) == 1:
            return [walks[0].step()]
        return self._helper.run_both(walks[0].step, walks[1].step)

    def _halved(self) -> AbstractContextManager[None]:
        """While it lasts, whatever computes in several threads by itself takes half of them (`HelperThread`)."""
        return nullcontext()

    def _refiner(self) -> Refine | None:
        """What a round refines the objects' probabilities with; the history holds the round's own strokes and mask."""
        return None

    def _prepare(self, frame: int) -> None:
        """Compute what a refiner will need of a frame, whatever is found in the frames before it."""

    def _finisher(self) -> Finish | None:
        """What makes the first mask of an object from its sketch; None: GrabCut's is taken."""
        return None

    def _restore(self, past: PastRound) -> None:
        self._history.restore(past)

    def _start(self, interaction: Interaction) -> MaskUpdate:
        frame = interaction.frame
        if frame in self.locked:
            labels = self.locked[frame]
        else:
            earlier, before = self._history.strokes.get(frame, []), self._history.mask(frame)
            drawing = Drawing(self._pictures, frame, earlier, interaction.scribbles, before, self.settings.seed)
            labels = drawing.labels(self._finisher())
        drawn = {stroke.object_id for stroke in interaction.scribbles}
        everyone = range(1, self.num_objects + 1)
        return noted(frame, labels, [1.0 if o in drawn else self._history.sure(frame, o) for o in everyone])


def _change(before: NDArray[np.bool_] | None, after: NDArray[np.bool_]) -> Change:
    """What a round did to an object's mask in the frame that was drawn on; None: there was no mask before."""
    if before is None:
        return Change(1.0, None)
    union = np.count_nonzero(before | after)
    return Change(1 - np.count_nonzero(before & after) / union if union else 0.0, before != after)
