"""How objects look in the frames that were annotated: fitted once for each mask, kept from round to round."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from threading import Lock
from typing import Any

from numpy.typing import NDArray

from segmentation.classical.appearance import Look
from segmentation.classical.picture import Pictures
from segmentation.classical.propagation import look_at

KEPT = 128  # fits of one object in one frame, 0.2 MB each

Map = NDArray[Any]  # float32 [h, w]


class Looks:
    """Fits by object, frame and mask; the least recently used leave. Safe to share between threads."""

    def __init__(self, pictures: Pictures) -> None:
        self._pictures = pictures
        self._kept: OrderedDict[tuple[int, int], tuple[bytes, Look]] = OrderedDict()
        self._lock = Lock()

    def of(self, object_id: int, frame: int, probability: Map) -> Look:
        """An object in `frame`, where it is what `probability` says, on the grid."""
        mask, key = hashlib.blake2b(probability.tobytes()).digest(), (object_id, frame)
        with self._lock:
            known = self._kept.pop(key, None)
            if known is None or known[0] != mask:
                known = mask, look_at(frame, self._pictures[frame], probability)
            self._kept[key] = known
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
            return known[1]
