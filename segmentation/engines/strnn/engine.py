"""The engine of ST-RNN, a spatio-temporal RNN whose last layer is adapted to each video in closed form.

The features of frames are cached. In each round, the weights W of the last layer are fitted to the scribbled pixels of
all rounds by regression. In late rounds RGMP, a second network, propagates masks from the annotated frames.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from segmentation.engine import Engine
from segmentation.engines.strnn.adaptation import RIDGE, SHARPNESS, Samples, scores, solve
from segmentation.engines.strnn.carrying import Carrier
from segmentation.engines.strnn.network import GRID, STRNN, for_inference
from segmentation.engines.strnn.openvino import compile_strnn
from segmentation.engines.strnn.outputs import Outputs
from segmentation.engines.strnn.sampling import Cells, sample, thinned
from segmentation.networks.labelling import confidences, upsampled_argmax
from segmentation.runtime.device import choose_device, choose_precision
from segmentation.runtime.feature_cache import FeatureCache
from segmentation.runtime.internal_size import internal_size, resized_frame
from segmentation.runtime.shared_networks import fastest_network
from segmentation.scribbles import Raster, rasterise
from segmentation.session.round_labels import RoundLabels, to_cells
from segmentation.types import Interaction, LabelMap, MaskUpdate, PastRound

GIVEN_CELLS = 256  # Largest number of samples of an id from an accepted frame: about as many as a few scribbles give.
ADAPTED = 0.3  # Weight of the adapted layer's result in the average with the masks that RGMP propagates.
GIVEN_FRAMES = 8  # Largest number of accepted frames that give samples, since features of each must be computed.


@dataclass(eq=False)
class StrnnRound:
    """An interaction and the masks of its round, at the size of the feature maps (1/8 of the frame's).

    `raster` are the ids under the scribbles in `frame`, -1 elsewhere; `ids` are the ids of the scribbles.
    """

    frame: int
    raster: Raster
    labels: RoundLabels
    ids: frozenset[int]


class STRNNEngine(Engine):
    """A session of ST-RNN: the engine with one video open.

    Options:
        ridge: lambda of equation 3 of the paper, as a share of the mean diagonal of X X^T.
        refine_from: the round (1, 2, ...) from which on RGMP propagates masks from the annotated frames; 0 = never;
            None = the value in the configuration of the network.
        scribbles_win: whether pixels under a scribble get its object id, whatever the network finds there.
        precision: of the backbones: "float32", "bfloat16", "float16"; "auto" is float16 on CUDA and
            float32 on a CPU. With "auto" on a CPU, OpenVINO runs the small shipped weights if it is installed, with
            the backbones in bfloat16 if the processor supports it.
        network: a network to use instead of loading a checkpoint.
    """

    name = "strnn"

    def _setup(
        self,
        ridge: float = RIDGE,
        refine_from: int | None = None,
        scribbles_win: bool = True,
        precision: str = "auto",
        network: STRNN | None = None,
    ) -> None:
        if not ridge > 0:
            raise ValueError(f"ridge: expected a number above 0, got {ridge!r}")
        if isinstance(refine_from, bool) or (refine_from is not None and refine_from < 0):
            raise ValueError(f"refine_from: expected a whole number of at least 0, got {refine_from!r}")
        self._ridge, self._scribbles_win = ridge, scribbles_win
        self._device = choose_device(self.settings.device)
        self._dtype = choose_precision(precision, self._device)
        if network is None:
            how = self.settings.weights, self._device, precision, for_inference, compile_strnn
            self._network = fastest_network(STRNN, self.name, *how)
        else:
            self._network = for_inference(network, self._device, self._dtype)
        self._refine_from = self._network.config.refine_from if refine_from is None else refine_from
        fit = self._network.config.frame_size
        self._image_size = internal_size(self.frames.height, self.frames.width, fit, self.settings.max_side)
        self._size = (-(-self._image_size[0] // GRID), -(-self._image_size[1] // GRID))
        self._cache = FeatureCache(self.settings.memory_bytes, self.settings.cache_dir)
        self._outputs = Outputs(self._network, self._read, self._cache)
        self._rounds: list[StrnnRound] = []
        self._samples: dict[int, list[Samples]] = {}  # By index of the round, the samples for each branch.

    @property
    def nbytes(self) -> int:
        return self._cache.used + sum(p.nbytes for p in self._network.parameters())

    def close(self) -> None:
        self._cache.close()

    # --- rounds ---------------------------------------------------------------------------------------------------

    def _restore(self, past: PastRound) -> None:
        self._rounds.append(self._new_round(past.interaction, RoundLabels(self._size, past.labels)))

    def _prepare_frame(self, frame: int) -> None:
        self._outputs.get(frame)

    def _new_round(self, interaction: Interaction, labels: RoundLabels) -> StrnnRound:
        drawn = frozenset(scribble.object_id for scribble in interaction.scribbles)
        return StrnnRound(interaction.frame, rasterise(interaction.scribbles, *self._size), labels, drawn)

    def _run(self, interaction: Interaction) -> Iterator[MaskUpdate]:
        self._rounds.append(self._new_round(interaction, RoundLabels(self._size)))
        try:
            for update in self._updates(interaction):
                if self._scribbles_win and update.frame == interaction.frame:
                    raster = rasterise(interaction.scribbles, self.frames.height, self.frames.width)
                    update.labels[raster >= 0] = raster[raster >= 0]
                settled = self._settled(update)
                self._rounds[-1].labels[update.frame] = to_cells(settled.labels, self._size)
                yield settled
        finally:
            if not self._rounds[-1].labels:  # A round without masks has no effect on later rounds.
                self._rounds.pop()
                self._samples.pop(len(self._rounds), None)

    def _updates(self, interaction: Interaction) -> Iterator[MaskUpdate]:
        ids = self._known_ids()
        due = 0 < self._refine_from <= len(self._rounds)
        if due and self._network.refinement is not None and len(ids) > 1:
            return self._refined(interaction, ids)
        return self._adapted(self._outward(interaction.frame), ids)

    def _adapted(self, order: Iterator[int], ids: Sequence[int]) -> Iterator[MaskUpdate]:
        """Segment the frames of `order` whose masks may change, with the last layer fitted to the scribbles."""
        weights = self._solve(ids)
        for frame in order:
            if not self.masks.keeps(frame):
                yield self._classify(frame, weights, ids)

    @torch.inference_mode()
    def _classify(self, frame: int, weights: Sequence[Tensor], ids: Sequence[int]) -> MaskUpdate:
        return self._to_update(frame, self._scores(frame, weights), ids)

    def _scores(self, frame: int, weights: Sequence[Tensor]) -> Tensor:
        """Return the scores of n ids in a frame, [n, h, w]: near 1 where a cell has the id, near 0 elsewhere.

        They are the mean over the branches (a backbone with its RNN), whose last layers are `weights`.
        """
        return torch.stack([scores(w, y) for w, y in zip(weights, self._outputs.get(frame), strict=True)]).mean(0)

    # --- adaptation -----------------------------------------------------------------------------------------------

    @torch.inference_mode()
    def _solve(self, ids: Sequence[int]) -> list[Tensor]:
        """Fit the last layer of every branch to samples of all rounds and of the nearest accepted or painted masks.

        Return the weights W of each, with a column for each of `ids`.
        """
        parts = [self._samples_of(index) for index in range(len(self._rounds))]
        here = self._rounds[-1].frame
        for frame in sorted(self.masks.sure_frames(), key=lambda f: (abs(f - here), f))[:GIVEN_FRAMES]:
            cells = to_cells(self.masks.sure_labels(frame), self._size).numpy().astype(np.uint8)
            where, shown = thinned(cells, GIVEN_CELLS)
            sure = (shown > 0) | (frame in self.locked)  # What is beside painted objects is unknown.
            parts.append(self._features_of(frame, (where[sure], shown[sure])))
        return [solve(Samples.joined(model), ids, self._ridge) for model in zip(*parts, strict=True)]

    def _samples_of(self, index: int) -> list[Samples]:
        """Draw the samples of a round for each branch: cells of its frame whose ids the scribbles tell.

        They depend only on the rounds up to this round, so that a rebuilt session draws the same samples.
        """
        if index not in self._samples:
            round_ = self._rounds[index]
            rng = np.random.default_rng([self.settings.seed, index])
            cells = sample(round_.raster, self._mask_before(index), rng)
            self._samples[index] = self._features_of(round_.frame, cells)
        return self._samples[index]

    def _features_of(self, frame: int, cells: Cells) -> list[Samples]:
        where, ids = (torch.from_numpy(array).to(self._device) for array in cells)
        return [Samples(y.flatten(1)[:, where].t().contiguous(), ids) for y in self._outputs.get(frame)]

    def _mask_before(self, index: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]] | None:
        """Return the mask of the frame of round `index` before that round, at the size of the feature maps, or None."""
        frame = self._rounds[index].frame
        for round_ in reversed(self._rounds[:index]):
            if frame in round_.labels:
                return round_.labels[frame].numpy().astype(np.uint8)
        return None

    def _known_ids(self) -> list[int]:
        """Return 0 and the ids of all objects that have scribbles or occur in an accepted or painted mask."""
        known = {0}.union(*(round_.ids for round_ in self._rounds), *self.masks.sure_frames().values())
        return sorted(id_ for id_ in known if id_ <= self.num_objects)

    # --- refined rounds -----------------------------------------------------------------------------------------

    def _refined(self, interaction: Interaction, ids: Sequence[int]) -> Iterator[MaskUpdate]:
        """Run a late round: segment annotated frames by the adapted last layer, and propagate from them by RGMP.

        All other frames get the average of the propagated masks and of those by the adapted last layer.
        """
        weights, drawn = self._solve(ids), dict[int, LabelMap]()
        annotated = {round_.frame for round_ in self._rounds} - set(self.locked)
        for frame in sorted(annotated, key=lambda f: (abs(f - interaction.frame), f)):
            if frame in self._zone and not self.masks.keeps(frame):
                yield self._classify(frame, weights, ids)
            drawn[frame] = self.masks.newest(frame)
        assert self._network.refinement is not None

        def labels(anchor: int) -> LabelMap:
            return drawn[anchor] if anchor in drawn else self.locked[anchor]

        carrier = Carrier(self._network.refinement, self._picture, {*drawn, *self.locked}, labels, ids)
        for found in carrier.distributions(interaction.frame, len(self.frames)):
            if found is None:
                if self.stopping():
                    return
                continue
            frame, carried, shown = found
            if frame not in self._zone:
                continue
            unknown = [row for row, id_ in enumerate(ids) if id_ and id_ not in shown]
            yield self._to_update(frame, self._blended(frame, carried, weights, unknown), ids)

    @torch.inference_mode()
    def _blended(self, frame: int, carried: Tensor, weights: Sequence[Tensor], unknown: list[int]) -> Tensor:
        """Average the maps `carried` [n, h, w] that RGMP propagated to `frame` with those by the adapted last layer.

        The rows `unknown` are of objects that RGMP could not propagate, because no annotated frame near `frame` shows
        them. They get the maps by the adapted last layer alone.
        """
        found = F.softmax(SHARPNESS * self._scores(frame, weights), dim=0)
        adapted = F.interpolate(found[None], size=carried.shape[-2:], mode="bilinear", align_corners=False)[0]
        blended = (1 - ADAPTED) * carried + ADAPTED * adapted
        blended[unknown] = adapted[unknown]
        return blended

    # --- frames and masks -----------------------------------------------------------------------------------------

    def _picture(self, frame: int) -> Tensor:
        """Return a frame at the size for RGMP, the network that propagates masks: RGB [1, 3, H', W'] in 0..1."""
        assert self._network.refinement is not None
        fit = self._network.refinement.config.frame_size
        size = internal_size(self.frames.height, self.frames.width, fit, self.settings.max_side)
        return (resized_frame(self.frames[frame], size) / 255).to(self._device)

    def _read(self, frame: int) -> Tensor:
        image = self._network.to_images(resized_frame(self.frames[frame], self._image_size).to(self._device))
        return image.to(self._dtype).contiguous(memory_format=torch.channels_last)

    def _to_update(self, frame: int, values: Tensor, ids: Sequence[int]) -> MaskUpdate:
        """Turn scores or probabilities [n, h, w] of n `ids` into a mask at the video's size and confidences."""
        labels = upsampled_argmax(values, ids, (self.frames.height, self.frames.width), align_corners=False)
        found = dict(zip(ids, confidences(values.clamp(0, 1)), strict=True))
        return MaskUpdate(frame, labels, tuple(found.get(o, 1.0) for o in range(1, self.num_objects + 1)))
