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

from segmentation.classical.appearance_cache import AppearanceCache
from segmentation.classical.flow_cache import FlowCache
from segmentation.classical.interacted_frame import InteractedFrame, RefineInteracted
from segmentation.classical.mask_history import MaskHistory, update_with_confidence
from segmentation.classical.propagator import MaskChange, Propagator, RefinePropagated, RoundContext
from segmentation.classical.scaled_frames import ScaledFrames, Sizes
from segmentation.engine import Engine
from segmentation.runtime.parallel import HelperThread
from segmentation.types import Interaction, LabelMap, MaskUpdate, PastRound

MODELS_BYTES = 48 << 20  # models of annotated frames (`appearance_cache.KEPT`), and maps of a round with a few objects
FLOWS_BYTES = 64 << 20  # of 200 frames at 480p


class ClassicalEngine(Engine):
    """See the module. A subclass may refine what is found in each frame (`_propagated_refiner`)."""

    def _setup(self) -> None:
        sizes = Sizes.of(self.frames.height, self.frames.width, self.settings.max_side)
        self._scaled_frames = ScaledFrames(self.frames, sizes)
        self._flow_cache = FlowCache(self._scaled_frames, FLOWS_BYTES)
        self._appearance_cache = AppearanceCache(self._scaled_frames)
        self._history = MaskHistory(self.frames.height, self.frames.width, self.settings.cache_dir)

    @property
    def nbytes(self) -> int:
        """What the session may come to hold: kept pictures and models of annotated frames; masks are on disk."""
        return self._scaled_frames.nbytes + MODELS_BYTES + FLOWS_BYTES

    def close(self) -> None:
        self._history.close()

    def _run(self, interaction: Interaction) -> Iterator[MaskUpdate]:
        start = interaction.frame
        update = self._start(interaction)
        before = self._history.mask(start)
        touched = self._history.annotate(interaction, None if start in self.locked else update.labels)
        self._history.add_scribbles(interaction)
        made = start not in self.locked
        if made:
            self._history.store(update)
        try:
            yield update
            with closing(self._propagate(start, before, touched, update)) as steps:
                for step in steps:
                    made = True
                    self._history.store(step)
                    yield step
        finally:
            if not made:
                self._history.undo_interaction(interaction)

    def _propagate(
        self, start: int, before: LabelMap | None, touched: set[int], update: MaskUpdate
    ) -> Generator[MaskUpdate]:
        """What the walks to both sides find. `before` and `update`: the mask of the start frame, before and now."""
        # This round's own: an older round that nobody closed must not take its thread away.
        self._helper = HelperThread(self._halved)
        context = RoundContext(
            self._scaled_frames,
            self._flow_cache,
            self._appearance_cache,
            self._history,
            self._helper,
            self.locked,
            self.locked_ids,
            self.num_objects,
            self._propagated_refiner(),
            self._prepare,
        )
        removed = {} if before is None else {o: before == o for o in touched if not (update.labels == o).any()}
        changes = {o: _change(None if before is None else before == o, update.labels == o) for o in touched}
        propagators = [Propagator(context, start, direction, changes, removed) for direction in (1, -1)]
        self._history.load(set().union(*self._history.annotated.values()))
        with self._helper:
            while propagators := [propagator for propagator in propagators if propagator.more()]:
                for step in self._steps(propagators):
                    if step is not None:
                        yield step

    def _steps(self, propagators: Sequence[Propagator]) -> Sequence[MaskUpdate | None]:
        """The next step of each of one or two walks. Neither sees what the other one finds in this step."""
        self._history.load(propagator.next for propagator in propagators)
        if len(propagators) == 1:
            return [propagators[0].step()]
        return self._helper.run_both(propagators[0].step, propagators[1].step)

    def _halved(self) -> AbstractContextManager[None]:
        """While it lasts, whatever computes in several threads by itself takes half of them (`HelperThread`)."""
        return nullcontext()

    def _propagated_refiner(self) -> RefinePropagated | None:
        """What a round refines the objects' probabilities with; the history holds the round's own strokes and mask."""
        return None

    def _prepare(self, frame: int) -> None:
        """Compute what a refiner will need of a frame, whatever is found in the frames before it."""

    def _interacted_refiner(self) -> RefineInteracted | None:
        """What makes the first mask of an object from its sketch; None: GrabCut's is taken."""
        return None

    def _restore(self, past: PastRound) -> None:
        self._history.restore(past)

    def _start(self, interaction: Interaction) -> MaskUpdate:
        frame = interaction.frame
        if frame in self.locked:
            labels = self.locked[frame]
        else:
            earlier, before = self._history.scribbles.get(frame, []), self._history.mask(frame)
            drawing = InteractedFrame(
                self._scaled_frames, frame, earlier, interaction.scribbles, before, self.settings.seed
            )
            labels = drawing.labels(self._interacted_refiner())
        drawn = {scribble.object_id for scribble in interaction.scribbles}
        everyone = range(1, self.num_objects + 1)
        return update_with_confidence(
            frame, labels, [1.0 if o in drawn else self._history.confidence(frame, o) for o in everyone]
        )


def _change(before: NDArray[np.bool_] | None, after: NDArray[np.bool_]) -> MaskChange:
    """What a round did to an object's mask in the frame that was drawn on; None: there was no mask before."""
    if before is None:
        return MaskChange(1.0, None)
    union = np.count_nonzero(before | after)
    return MaskChange(1 - np.count_nonzero(before & after) / union if union else 0.0, before != after)
