"""The engine of IPN: a round propagates masks forward and backward, up to the frames that were annotated before.

For each frame, a session keeps the probability maps of all objects; they are also its engine state, which is stored
with the mask. For each object, it keeps a reference feature, which describes how the object looks in its annotated
frames and is aggregated over the rounds since the object was first drawn. Where a frame has a mask of an earlier round,
the old and the new mask are averaged, with weights that depend on the distance from the annotated frame.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from segmentation.engine import Engine
from segmentation.engines.ipn.fusion import round_weight
from segmentation.engines.ipn.network import Inet, Pnet
from segmentation.engines.ipn.openvino import compile_inet, compile_pnet
from segmentation.engines.ipn.references import References
from segmentation.networks.aggregation import aggregate
from segmentation.networks.labelling import confidences, upsampled_argmax
from segmentation.runtime.device import choose_device, choose_precision
from segmentation.runtime.folding import for_inference
from segmentation.runtime.internal_size import internal_size, resized_frame
from segmentation.runtime.shared_networks import fastest_network
from segmentation.scribbles import rasterise
from segmentation.session.packed_labels import PackedLabels
from segmentation.session.probability_maps import encode, from_labels, with_objects
from segmentation.session.prompts import strokes_of
from segmentation.session.round_history import RoundHistory
from segmentation.types import Interaction, LabelMap, MaskUpdate, PastRound
from segmentation.weights import WeightsError, find_weights


@dataclass(eq=False)
class _Reach:
    """The frames to which a round propagates one object, and with what weight.

    `weight` is, for each frame, the share of the new mask in the average with the mask of earlier rounds, 0..1. `since`
    is the index, among the rounds of the session, of the round in which the object was first drawn.
    """

    weight: NDArray[np.float64]  # [T]
    since: int


class IPNEngine(Engine):
    """A session of IPN: the engine with one video open.

    Options:
        at_least: the smallest number of frames that a round propagates in each direction; -1 = no minimum.
        scribbles_win: whether pixels under a scribble get its object id, whatever the network finds there.
        precision: "float32", "bfloat16", "float16"; "auto" is float16 on CUDA and float32
            on a CPU. With "auto" on a CPU, OpenVINO runs the small shipped weights if it is installed.
        networks: both networks, already loaded, to use instead of checkpoints, as validation in training does.
    """

    name = "ipn"

    def _setup(
        self,
        at_least: int = -1,
        scribbles_win: bool = True,
        precision: str = "auto",
        networks: tuple[Inet, Pnet] | None = None,
    ) -> None:
        self._device = choose_device(self.settings.device)
        self._dtype = choose_precision(precision, self._device)
        inet, self._pnet = self._prepared(networks, precision)
        pnet = self._pnet
        short, long = sorted((self.frames.height, self.frames.width))
        fit = min(short, pnet.config.frame_size[0]), min(long, pnet.config.frame_size[1])
        self._size = internal_size(self.frames.height, self.frames.width, fit, self.settings.max_side)
        self._at_least, self._scribbles_win = at_least, scribbles_win
        self._history = RoundHistory(self._size)
        budget = self.settings.memory_bytes
        self._references = References(inet, self._pnet, self._history, self._frame, self.locked, budget)

    def _prepared(self, networks: tuple[Inet, Pnet] | None, precision: str) -> tuple[Inet, Pnet]:
        if networks is not None:
            device, dtype = self._device, self._dtype
            return for_inference(networks[0], device, dtype), for_inference(networks[1], device, dtype)
        how = self.settings.weights, self._device, precision, for_inference
        inet, pnet = (
            fastest_network(Inet, "ipn-inet", *how, compile_inet),
            fastest_network(Pnet, "ipn-pnet", *how, compile_pnet),
        )
        if inet.config != pnet.config:
            files = ", ".join(str(find_weights(name, self.settings.weights)) for name in ("ipn-inet", "ipn-pnet"))
            raise WeightsError(f"IPN's two networks are not of one size: {files}. Add the other one of a pair too")
        return inet, pnet

    # --- rounds ---------------------------------------------------------------------------------------------------

    def _restore(self, past: PastRound) -> None:
        self._history.add(past)

    def _adopt(self, labels: Mapping[int, LabelMap]) -> None:
        self._history.adopt(labels, self.num_objects)

    def _on_given(self, frame: int, ids: frozenset[int]) -> None:
        """Treat objects that a person painted in a frame as drawn there, so that they have reference features."""
        given = PackedLabels()
        given[frame] = self.masks.newest(frame)
        strokes = strokes_of(given[frame], ids)
        if strokes:
            self._history.add(PastRound("", (Interaction(frame, strokes),), self.num_objects, given))
        self._locked_changed(frame)

    @torch.inference_mode()
    def _run(self, interaction: Interaction) -> Iterator[MaskUpdate]:
        self._history.begin(self.name, interaction, self.num_objects)
        try:
            yield from self._updates(interaction)
        finally:
            if (index := self._history.end()) is not None:
                self._references.drop(index)

    def _updates(self, interaction: Interaction) -> Iterator[MaskUpdate]:
        ids = self._known_objects()
        start = interaction.frame
        reach = {i: self._reach(i) for i in ids}
        found = self._interact(ids)  # [N, h, w]; zero for objects without a mask
        if self.masks.keeps(start):
            found = self._kept_maps(start)
        else:
            found, update = self._finish(start, found, found, ids, interaction)
            yield update
        sides = {True: found, False: found}
        for frame in self._outward(start):
            if frame == start:
                continue
            moved, step = self._step(frame, sides[frame > start], reach)
            sides[frame > start] = moved
            if step is not None:
                yield step

    def _interact(self, ids: list[int]) -> Tensor:
        """Run the interaction network on the frame that was drawn on.

        Return the probability maps of all N objects of the video, [N, h, w]; only those of the objects `ids` are not 0.
        """
        masks = torch.zeros(self.num_objects, *self._size)
        if ids:
            probabilities = self._references.interact(len(self._history.records) - 1, ids)
            masks[[i - 1 for i in ids]] = joined(probabilities)
        return masks

    def _step(self, frame: int, neighbour: Tensor, reach: dict[int, _Reach]) -> tuple[Tensor, MaskUpdate | None]:
        """Propagate to `frame` from the adjacent frame, whose probability maps are `neighbour` [N, h, w].

        Return the probability maps from which the next frame is computed, and the new mask, or None if the frame keeps
        its mask. `reach` tells for each object how far it is propagated.
        """
        if self.masks.keeps(frame):
            return self._kept_maps(frame), None
        before = self._masks(frame)
        due = [i for i, r in reach.items() if r.weight[frame] > 0 or not self._history.covers(frame, r.since)]
        if not due and (reach or before is not None):
            return self._or_nothing(before), None
        moved = self._or_nothing(before).clone()
        if due:
            rows = [i - 1 for i in due]
            moved[rows] = self._propagate(frame, due, moved[rows], neighbour[rows])
            known = [i - 1 for i in reach]
            moved[known] = joined(moved[known])
        fused = self._fused(frame, moved, before, reach)
        return self._finish(frame, fused, moved, list(reach), None)

    def _propagate(self, frame: int, ids: list[int], before: Tensor, neighbour: Tensor) -> Tensor:
        """Propagate the objects `ids` separately to `frame`. Return their probability maps, [n, h, w].

        `before` are their maps in this frame from the previous round, `neighbour` their maps in the adjacent frame,
        both [n, h, w].
        """
        references = torch.stack([self._references.aggregated(i) for i in ids])
        masks = [mask.to(self._device, self._dtype) for mask in (before, neighbour.round())]
        return self._pnet(self._frame(frame), references, *masks).probability.float().cpu()

    def _fused(self, frame: int, moved: Tensor, before: Tensor | None, reach: dict[int, _Reach]) -> Tensor:
        """Average the propagated maps `moved` [N, h, w] of a frame with those of earlier rounds (`before`), if any.

        `reach` has the weight of the new map of each object.
        """
        fused = moved.clone()
        for object_id, r in reach.items():
            if before is not None and self._history.covers(frame, r.since):
                row, weight = object_id - 1, float(r.weight[frame])
                fused[row] = weight * moved[row] + (1 - weight) * before[row]
        return fused

    def _finish(
        self, frame: int, masks: Tensor, moved: Tensor, ids: list[int], interaction: Interaction | None
    ) -> tuple[Tensor, MaskUpdate]:
        """Turn the probability maps `masks` [N, h, w] of a frame into its new mask, and store it.

        Return the maps from which the propagation continues, and the new mask. These maps are `moved`, or are made from
        the new mask if it was changed to agree with what people accepted, painted or marked as absent.

        Args:
            ids: the objects to show in the mask.
            interaction: the interaction, in the frame that was drawn on; else None.
        """
        rows = [i - 1 for i in ids]
        distribution = torch.cat([(1 - masks[rows].sum(dim=0, keepdim=True)).clamp_min(0), masks[rows]])
        size = (self.frames.height, self.frames.width)
        labels = upsampled_argmax(distribution, [0, *ids], size, align_corners=False)
        if interaction is not None and self._scribbles_win:
            raster = rasterise(interaction.scribbles, *size)
            labels[raster >= 0] = raster[raster >= 0]
        sure = dict(zip(ids, confidences(distribution)[1:], strict=True))
        confidence = tuple(sure.get(i, 1.0) for i in range(1, self.num_objects + 1))
        update = self._settled(MaskUpdate(frame, labels, confidence, encode(masks.numpy())))
        self._history.store(update)
        if update.labels is not labels:
            moved = self._maps_of(update.labels)
        return moved, update

    # --- what is known --------------------------------------------------------------------------------------------

    def _known_objects(self) -> list[int]:
        """Return the ids of objects that have scribbles. Other objects have no reference feature."""
        return sorted(i for i in self._history.first_drawn() if i <= self.num_objects)

    def _reach(self, object_id: int) -> _Reach:
        """Compute to which frames the newest round propagates an object, and with what weight.

        Annotated frames of rounds before the object was first drawn do not end its propagation.
        """
        since = self._history.first_drawn()[object_id]
        frames = [record.frame for record in self._history.records]
        weight = round_weight(frames[-1], frames[since:-1], len(self.frames), self._at_least)
        return _Reach(weight, since)

    def _masks(self, frame: int) -> Tensor | None:
        """Return the newest probability maps of a frame, [N, h, w], or None if it has none."""
        masks = self._history.probabilities(frame)
        return None if masks is None else torch.from_numpy(with_objects(masks, self.num_objects))

    def _or_nothing(self, masks: Tensor | None) -> Tensor:
        return torch.zeros(self.num_objects, *self._size) if masks is None else masks

    def _kept_maps(self, frame: int) -> Tensor:
        """Return the probability maps [N, h, w] of a frame whose mask the round must not change."""
        if frame in self.locked:
            return self._maps_of(self.locked[frame])
        return self._or_nothing(self._masks(frame))

    def _maps_of(self, labels: LabelMap) -> Tensor:
        return torch.from_numpy(from_labels(labels, self.num_objects, *self._size))

    def _frame(self, index: int) -> Tensor:
        image = resized_frame(self.frames[index], self._size).to(self._device) / 255
        return image.to(self._dtype)

    def _locked_changed(self, frame: int) -> None:
        self._references.forget(frame)


def joined(probabilities: Tensor) -> Tensor:
    """Make n probability maps [n, h, w] compete for each pixel, so that their sum is at most 1 (soft aggregation).

    A single map is returned as it is.
    """
    return aggregate(probabilities)[1:] if len(probabilities) > 1 else probabilities
