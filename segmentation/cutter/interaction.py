"""An engine in which the cutter segments the frames that are drawn on, and an inner engine all other frames.

Small networks understand scribbles badly: at 1/16 of the frame's size, little is left of an object and less of a
scribble. The cutter sees a window around the object at a higher resolution, and GrabCut's mask with it. The inner
engine gets the cutter's masks as masks of locked frames, remembers them and propagates from them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace

import torch

from segmentation.classical.interacted_frame import InteractedFrame, ObjectEvidence
from segmentation.classical.mask_history import UNKNOWN_CONFIDENCE, MaskHistory
from segmentation.classical.scaled_frames import ScaledFrames, Sizes
from segmentation.cutter.openvino import compile_refinement_net
from segmentation.cutter.refinement import RefinementNet, refine_interacted
from segmentation.engine import Engine
from segmentation.runtime.device import choose_device
from segmentation.runtime.shared_networks import shared_network
from segmentation.session.constraints import RoundLimits
from segmentation.session.packed_labels import PackedLabels
from segmentation.session.round_parts import RoundPart, SomeFrames
from segmentation.types import FloatArray, Interaction, LabelMap, MaskUpdate, PastRound
from segmentation.weights import CUTTER


class CutterInteraction(Engine):
    """Segments the frames that are drawn on by the cutter, and all others by an inner engine, whose name it has.

    The mask of an annotated frame is held: the inner engine sees the frame as locked and does not change the mask. A
    held frame is released when an object that was not yet searched for in it is drawn in another frame.

    Options:
        inner: a new session of the engine that segments all other frames. It is closed with this session.
        cutter: the cutter's network, which several sessions may share.
    """

    name = ""

    def _setup(self, inner: Engine, cutter: RefinementNet) -> None:
        self.name, self._inner, self._cutter = inner.name, inner, cutter
        size = self.frames.height, self.frames.width
        self._scaled_frames = ScaledFrames(self.frames, Sizes.of(*size, self.settings.max_side))
        self._history = MaskHistory(*size, self.settings.cache_dir)
        self._held: dict[int, frozenset[int]] = {}  # for each held frame, the objects that its mask was made for
        self._looked_for: dict[int, frozenset[int]] = {}  # for each frame, the objects its newest round searched for
        # Both sessions share the newest masks and all that people accepted, painted or marked as absent.
        inner.masks.share(self.masks)

    def _another(self) -> Engine:
        inner = self._inner._another()
        other = CutterInteraction(self.frames, self.num_objects, self.settings, inner=inner, cutter=self._cutter)
        other.stopping = self.stopping
        return other

    @property
    def nbytes(self) -> int:
        return self._inner.nbytes + self._scaled_frames.nbytes

    def close(self) -> None:
        self._inner.close()
        self._history.close()

    # --- rounds ---------------------------------------------------------------------------------------------------

    def _run(self, interaction: Interaction) -> Iterator[MaskUpdate]:
        self._inner.num_objects, self._inner.stopping = self.num_objects, self.stopping
        drawn = None if self.masks.keeps(interaction.frame) else self._draw(interaction)
        made = False
        try:
            if drawn is not None:
                yield drawn
            for update in self._propagated(interaction):
                if drawn is None and not made:
                    self._note(interaction, None)
                made = True
                self._history.store(update)
                self._looked_for[update.frame] = self._known()
                yield update
        finally:
            if drawn is not None and not made:  # The inner engine does not know of this round yet.
                labels = PackedLabels()
                labels[drawn.frame] = drawn.labels
                self._inner.restore([PastRound(self.name, (interaction,), self.num_objects, labels)])

    def _propagated(self, interaction: Interaction) -> Iterator[MaskUpdate]:
        """Let the inner engine, which segments the frames without scribbles, propagate. Yield its masks, which respect
        painted and accepted frames.
        """
        part = RoundPart(interaction, self._zone, self.masks.done)
        with closing(self._inner._run_part(part, RoundLimits(self.masks.limits.objects))) as updates:
            yield from updates

    def _draw(self, interaction: Interaction) -> MaskUpdate:
        """Let the cutter segment the frame that was drawn on, and hold its mask from now on.

        A held mask is that of a frame that the inner engine sees as locked. If nobody drew on the frame before, and
        nobody painted, edited or imported its mask, that mask was only propagated and may change everywhere.
        """
        frame = interaction.frame
        earlier, before = self._history.scribbles.get(frame, []), self._history.mask(frame)
        drawing = InteractedFrame(
            self._scaled_frames, frame, earlier, interaction.scribbles, before, self.settings.seed
        )
        by_hand = self._history.is_given(frame) or self.masks.spoken_of(frame, self.num_objects)
        labels = drawing.labels(self._refine_interacted, limited=bool(earlier or by_hand))
        drawn = {scribble.object_id for scribble in (*earlier, *interaction.scribbles)}
        sure = tuple(1.0 if number in drawn else UNKNOWN_CONFIDENCE for number in range(1, self.num_objects + 1))
        update = self._settled(MaskUpdate(frame, labels, sure))
        self._note(interaction, update.labels)
        self._history.store(update)
        self._hold(frame, update.labels)
        return update

    def _note(self, interaction: Interaction, labels: LabelMap | None) -> None:
        self._history.annotate(interaction, labels)
        self._history.add_scribbles(interaction)

    @torch.inference_mode()
    def _refine_interacted(self, frame: int, evidence: ObjectEvidence) -> FloatArray:
        return refine_interacted(self._cutter, self._scaled_frames[frame], evidence)

    def _restore(self, past: PastRound) -> None:
        self._inner.num_objects = self.num_objects
        self._history.restore(replace(past, engine_states={}))  # The engine states belong to the inner engine.
        frame = past.interaction.frame
        if frame in past.labels:
            self._hold(frame, past.labels[frame])
        warped = SomeFrames(past.labels, [other for other in past.labels if other != frame])
        for other in warped:
            self._looked_for[other] = self._known()
            if other in self._held:  # A round of another engine changed the held mask.
                self._held[other] |= self._known()
                if other not in self.locked:
                    self._inner._lock_whole(other, past.labels[other])
        # The cutter made the mask of the frame that was drawn on, so that the inner engine gets only the other masks of
        # the round. It gets the cutter's mask in this way only if the round made no other mask.
        self._inner.restore([replace(past, labels=warped) if warped else past])

    def _adopt(self, labels: Mapping[int, LabelMap]) -> None:
        self._inner.num_objects = self.num_objects
        self._history.adopt(labels)
        self._inner._adopt(labels)
        for frame in labels:
            if frame in self._held and frame not in self.locked:
                self._inner._lock_whole(frame, labels[frame])

    def _on_given(self, frame: int, ids: frozenset[int]) -> None:
        self._history.annotate_given(frame, ids)
        self._inner._on_given(frame, ids)

    def _prepare_frame(self, frame: int) -> None:
        self._scaled_frames[frame]
        self._inner._prepare_frame(frame)

    # --- annotated frames -----------------------------------------------------------------------------------------

    def _known(self) -> frozenset[int]:
        """Return the ids of all objects that have a scribble in any frame."""
        return frozenset(s.object_id for scribbles in self._history.scribbles.values() for s in scribbles) - {0}

    def _hold(self, frame: int, labels: LabelMap) -> None:
        """Hold the mask `labels` of an annotated frame: make the inner engine see the frame as locked.

        Other held frames are released if some object that has scribbles by now was not searched for in them.
        """
        known = self._known()
        drawn = frozenset(scribble.object_id for scribble in self._history.scribbles[frame]) - {0}
        self._held[frame] = self._looked_for.get(frame, frozenset()) | drawn
        if frame not in self.locked:
            self._inner._lock_whole(frame, labels)
        for other in [f for f, objects in self._held.items() if f != frame and not known <= objects]:
            del self._held[other]
            if other not in self.locked:
                self._inner._unlock_whole(other)

    def _locked_changed(self, frame: int) -> None:
        held = self._history.mask(frame) if frame in self._held else None
        if frame in self.locked:
            self._inner._lock_whole(frame, self.locked[frame])
        elif held is not None:
            self._inner._lock_whole(frame, held)
        elif frame in self._inner.locked:
            self._inner._unlock_whole(frame)
        else:
            self._inner._locked_changed(frame)


def with_cutter(inner: Engine) -> CutterInteraction:
    """Wrap a new session so that the cutter segments its annotated frames.

    Raises WeightsMissing if the checkpoint of the cutter is missing, and WeightsError if it cannot be used.
    """
    device = choose_device(inner.settings.device)
    cutter = shared_network(RefinementNet, CUTTER, None, device, torch.float32, compile_refinement_net)
    return CutterInteraction(inner.frames, inner.num_objects, inner.settings, inner=inner, cutter=cutter)
