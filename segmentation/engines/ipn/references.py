"""The reference features of IPN, which describe how an object looks in the frames that were drawn on.

They are the deepest features of the interaction network, aggregated over the rounds. They depend only on the frames,
the scribbles and the masks before each round, and are computed when they are first needed. So a rebuilt session has the
same features as the session before.
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
    """The reference features of a session, by round and object. A round of the history is called a record.

    Args:
        inet: the interaction network.
        pnet: the propagation network, which aggregates the features.
        history: the rounds of the session.
        frame: returns a frame [1, 3, h, w] in 0..1 by its index.
        locked: accepted masks by frame. They replace the mask that such a frame had when it was drawn on.
        memory_bytes: the most bytes that features of all rounds may take. Others are computed again when needed.
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
        # By index of the record: features [n, C, h, w] of the objects drawn so far.
        self._seen = FeatureCache(memory_bytes)
        # The features that were computed last, with the index of their record.
        self._newest: tuple[int, Tensor] | None = None
        self._aggregated: dict[int, tuple[int, Tensor]] = {}  # By object id: number of aggregated records, and feature.

    def interact(self, index: int, ids: list[int]) -> Tensor:
        """Run the interaction network for the round of the record `index`.

        Return the probability maps [n, h, w] of the objects `ids` in the frame that was drawn on. These objects must
        have been drawn in that round or earlier.
        """
        estimate = self._look(index, ids)
        return estimate.probability.float().cpu()

    def aggregated(self, object_id: int) -> Tensor:
        """Return the reference feature [C, h, w] of an object, aggregated over all rounds since it was first drawn."""
        records = len(self._history.records)
        first = self._history.first_drawn()[object_id]
        done, reference = self._aggregated.get(object_id, (first, None))
        for index in range(done, records):
            current = self._of_record(index, object_id)[None]
            mixed = self._pnet.aggregate(None if reference is None else reference[None], current)
            reference = mixed[0]
        assert reference is not None  # The object has been drawn, so that at least one round has a feature of it.
        self._aggregated[object_id] = records, reference
        return reference

    def forget(self, frame: int) -> None:
        """Forget all features that depend on the mask of `frame`, because it was accepted, or is no longer accepted."""
        self._newest = None
        changed = [i for i, record in enumerate(self._history.records) if record.frame == frame]
        for index in changed:
            self._seen.forget(str(index))
        if changed:
            self._aggregated.clear()

    def drop(self, index: int) -> None:
        """Forget the features of the newest round, which ended without a mask, and all aggregated features.

        The history has removed the record of the round; `index` was its position there.
        """
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
