"""The flow engine, which needs no weights: GrabCut in the frame that was drawn on, then optical flow and appearance
models in the other frames.

A round segments the frame that was drawn on and propagates from it forward and backward. The propagation of an object
ends at the next frame where that object was annotated or its mask accepted or painted. The nearer that frame is, the
less the new masks weigh against the older masks. Frames that have no mask yet, because an earlier round was cancelled,
are segmented too.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, nullcontext

import numpy as np
from numpy.typing import NDArray

from segmentation.classical.appearance_cache import AppearanceCache
from segmentation.classical.flow_cache import FlowCache
from segmentation.classical.interacted_frame import InteractedFrame, RefineInteracted
from segmentation.classical.mask_history import MaskHistory, encode_confidence, update_with_confidence
from segmentation.classical.propagator import MaskChange, Propagator, RefinePropagated, RoundContext
from segmentation.classical.scaled_frames import ScaledFrames, Sizes
from segmentation.engine import Engine
from segmentation.runtime.parallel import HelperThread
from segmentation.types import Interaction, LabelMap, MaskUpdate, PastRound

# Memory of the cached models of annotated frames (`appearance_cache.KEPT`) and the maps of a round with a few objects.
MODELS_BYTES = 48 << 20
FLOWS_BYTES = 64 << 20  # flow fields of about 300 frames at 480p, forward and backward


class ClassicalEngine(Engine):
    """A session of the flow engine.

    A subclass may improve the masks that it computes (`_interacted_refiner`, `_propagated_refiner`).
    """

    def _setup(self) -> None:
        sizes = Sizes.of(self.frames.height, self.frames.width, self.settings.max_side)
        self._scaled_frames = ScaledFrames(self.frames, sizes)
        self._flow_cache = FlowCache(self._scaled_frames, FLOWS_BYTES)
        self._appearance_cache = AppearanceCache(self._scaled_frames)
        self._history = MaskHistory(self.frames.height, self.frames.width, self.settings.cache_dir)
        # For each frame drawn on in this round: its mask before, and the ids of the objects that were annotated in it.
        self._drawn: dict[int, tuple[LabelMap | None, set[int]]] = {}

    @property
    def nbytes(self) -> int:
        """The largest memory that the session takes, in bytes: cached frames, flow and models. Masks are on disk."""
        return self._scaled_frames.nbytes + MODELS_BYTES + FLOWS_BYTES

    def close(self) -> None:
        self._history.close()

    def _run(self, interaction: Interaction) -> Iterator[MaskUpdate]:
        start = interaction.frame
        update, made = self._start(interaction), not self.masks.keeps(start)
        before = self._history.mask_before_given(start)
        touched = self._history.annotate(interaction, update.labels if made else None)
        self._history.add_scribbles(interaction)
        if made:
            self._history.store(update)
            self._drawn[start] = before, touched
        elif start in self.masks.done:
            before, touched = self._drawn[start]
        try:
            yield update
            with closing(self._propagate(start, before, touched, update)) as steps:
                for step in steps:
                    settled = self._settled(step)
                    made = True
                    self._history.store(settled)
                    yield settled
        finally:
            if not made:
                self._history.undo_interaction(interaction)

    def _propagate(
        self, start: int, before: LabelMap | None, touched: set[int], update: MaskUpdate
    ) -> Generator[MaskUpdate]:
        """Compute the masks of the other frames, forward and backward from the frame `start` that was drawn on.

        Args:
            start: the frame that was drawn on.
            before: its mask before the interaction, None if it had none.
            touched: the ids of the objects that the interaction annotated.
            update: the mask of the frame after the interaction.
        """
        # Each round starts a thread, because an older round that was never closed may still use its thread.
        self._helper = HelperThread(self._halved)
        context = RoundContext(
            self._scaled_frames,
            self._flow_cache,
            self._appearance_cache,
            self._history,
            self._helper,
            self.locked,
            self.masks.sure_frames(),
            self.masks.constraints,
            self.masks.done,
            self._zone,
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
        """Run the next step of each propagator, forward and backward, at the same time if there are two.

        Neither step depends on the result of the other.
        """
        self._history.load(propagator.next for propagator in propagators)
        if len(propagators) == 1:
            return [propagators[0].step()]
        return self._helper.run_both(propagators[0].step, propagators[1].step)

    def _halved(self) -> AbstractContextManager[None]:
        """Return a context in which multi-threaded libraries use half of their threads, as two threads share the CPU.

        See `HelperThread`. Here it does nothing; a subclass that runs a network overrides it.
        """
        return nullcontext()

    def _propagated_refiner(self) -> RefinePropagated | None:
        """Return the function that improves the probability maps of each propagated frame; None: they stay as they are.

        It is called at the start of propagation, when `self._history` already holds the scribbles of the round.
        """
        return None

    def _prepare(self, frame: int) -> None:
        """Compute ahead what the refiner needs of a frame and what does not depend on masks, such as image features.

        Here it does nothing; a subclass may override it.
        """

    def _interacted_refiner(self) -> RefineInteracted | None:
        """Return the function that improves GrabCut's mask of an object in the frame that was drawn on.

        Return None if the mask of GrabCut is to stay as it is.
        """
        return None

    def _restore(self, past: PastRound) -> None:
        self._history.restore(past)

    def _adopt(self, labels: Mapping[int, LabelMap]) -> None:
        self._history.adopt(labels)

    def _on_given(self, frame: int, ids: frozenset[int]) -> None:
        self._history.annotate_given(frame, ids)

    def _prepare_frame(self, frame: int) -> None:
        if frame + 1 < len(self.frames):
            self._flow_cache.between(frame, frame + 1)

    def _settled_state(self, update: MaskUpdate, changed: bool) -> bytes | None:
        return encode_confidence(update.confidence)

    def _start(self, interaction: Interaction) -> MaskUpdate:
        frame = interaction.frame
        if self.masks.keeps(frame):
            labels = self.masks.kept(frame)
        else:
            earlier, before = self._history.scribbles.get(frame, []), self._history.mask(frame)
            drawing = InteractedFrame(
                self._scaled_frames, frame, earlier, interaction.scribbles, before, self.settings.seed
            )
            labels = drawing.labels(self._interacted_refiner())
        drawn = {scribble.object_id for scribble in interaction.scribbles}
        everyone = range(1, self.num_objects + 1)
        update = update_with_confidence(
            frame, labels, [1.0 if o in drawn else self._history.confidence(frame, o) for o in everyone]
        )
        return update if self.masks.keeps(frame) else self._settled(update)


def _change(before: NDArray[np.bool_] | None, after: NDArray[np.bool_]) -> MaskChange:
    """Compare the mask of an object [H, W] before and after the interaction, in the frame that was drawn on.

    `before` is None if the frame had no mask.
    """
    if before is None:
        return MaskChange(1.0, None)
    union = np.count_nonzero(before | after)
    return MaskChange(1 - np.count_nonzero(before & after) / union if union else 0.0, before != after)
