"""The reference features of IPN: what the interaction network saw in each round, aggregated over the rounds.

They are a function of the history (frames, scribbles, the masks of the time), computed when they are first needed, so a
rebuilt session has those of a kept one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import Tensor

from segmentation.engines.ipn.network import Estimate, Inet, Pnet
from segmentation.runtime.feature_cache import FeatureCache
from segmentation.scribbles import cues_of, rasterise
from segmentation.session.probability_maps import decode, from_labels, with_objects
from segmentation.session.round_history import RoundHistory, RoundRecord
from segmentation.types import LabelMap, ProbabilityMaps


class References:
    """References by record and object.

    Args:
        frame: gives a frame [1, 3, h, w] in 0..1 by index.
        locked: accepted masks by frame; of such a frame this is the mask, whatever it was when it was drawn on.
        memory_bytes: budget for what each record gave; what does not fit is computed again when it is asked for.
    """

    def __init__(
        self,
        inet: Inet,
        pnet: Pnet,
        history: RoundHistory,
        frame: Callable[[int], Tensor],
        locked: Mapping[int, LabelMap],
        memory_bytes: int,
    ) -> None:
        self._inet, self._pnet = inet, pnet
        self._history, self._frame, self._locked = history, frame, locked
        self._seen = FeatureCache(memory_bytes)  # by record: [n, C, h, w] of the objects drawn by then
        self._newest: tuple[int, Tensor] | None = None  # the record looked at last, for its objects one after another
        self._aggregated: dict[int, tuple[int, Tensor]] = {}  # object -> records that it holds, reference

    def interact(self, index: int, ids: list[int]) -> Tensor:
        """Run the interaction network for a record: probabilities [n, h, w] of `ids`, all drawn by then."""
        estimate = self._look(index, ids)
        return estimate.probability.float().cpu()

    def aggregated(self, object_id: int) -> Tensor:
        """The reference [C, h, w] of an object over all records since it was first drawn."""
        records = len(self._history.records)
        first = self._history.first_drawn()[object_id]
        done, reference = self._aggregated.get(object_id, (first, None))
        for index in range(done, records):
            current = self._of_record(index, object_id)[None]
            mixed = self._pnet.aggregate(None if reference is None else reference[None], current)
            reference = mixed[0]
        assert reference is not None  # the object was drawn
        self._aggregated[object_id] = records, reference
        return reference

    def forget(self, frame: int) -> None:
        """The accepted mask of a frame came or went: all that was made from it is made again."""
        self._newest = None
        changed = [i for i, record in enumerate(self._history.records) if record.frame == frame]
        for index in changed:
            self._seen.forget(str(index))
        if changed:
            self._aggregated.clear()

    def drop(self, index: int) -> None:
        """The newest record was taken back."""
        self._newest = None
        self._seen.forget(str(index))
        self._aggregated.clear()

    def _of_record(self, index: int, object_id: int) -> Tensor:
        ids = sorted(i for i, since in self._history.first_drawn().items() if since <= index)
        seen = self._newest[1] if self._newest and self._newest[0] == index else self._seen.get(str(index))
        if seen is None:
            seen = self._look(index, ids).reference
        return seen[ids.index(object_id)]

    def _look(self, index: int, ids: list[int]) -> Estimate:
        record = self._history.records[index]
        size = self._history.size
        raster = rasterise(record.past.interaction.scribbles, *size)
        masks = with_objects(self._mask_of(record), max(ids))
        cues = np.stack([np.stack([masks[i - 1], *cues_of(raster, i)]) for i in ids]).astype(np.float32)  # [n, 3, h, w]
        frame = self._frame(record.frame)
        estimate: Estimate = self._inet(frame, *torch.from_numpy(cues).to(frame).unbind(1))
        self._newest = index, estimate.reference
        self._seen.put(str(index), estimate.reference)
        return estimate

    def _mask_of(self, record: RoundRecord) -> ProbabilityMaps:
        size = self._history.size
        if record.frame in self._locked:
            return from_labels(self._locked[record.frame], record.past.num_objects, *size)
        if record.before is None:
            return np.zeros((record.past.num_objects, *size), np.float32)
        return decode(record.before, *size)
