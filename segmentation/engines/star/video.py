"""Computes the features and flow of the frames of a session once, and caches them within a budget."""

from __future__ import annotations

from collections import OrderedDict
from threading import RLock

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from segmentation.engines.star.features import Flow, flow_between, raw_features, resized, working_size
from segmentation.engines.star.network import Encoded, Star
from segmentation.runtime.feature_cache import FeatureCache
from segmentation.trunk import Trunk
from segmentation.types import FrameSource

SMALL_FRAMES = 8  # cached frames at their working size: those of the current steps


class Video:
    """Encoded frames, and the flow between neighbours. Safe for several threads."""

    def __init__(
        self,
        frames: FrameSource,
        network: Star,
        trunk: Trunk,
        device: torch.device,
        cache: FeatureCache,
        max_side: int | None,
    ) -> None:
        self.frames, self.device = frames, device
        self.size = working_size(frames.height, frames.width, max_side)
        self._network, self._trunk, self._cache = network, trunk, cache
        self._small: OrderedDict[int, NDArray[np.uint8]] = OrderedDict()
        self._lock = RLock()

    def __len__(self) -> int:
        return len(self.frames)

    def small(self, frame: int) -> NDArray[np.uint8]:
        """Return the frame at its working size, RGB."""
        with self._lock:
            if frame not in self._small:
                self._small[frame] = resized(self.frames[frame], self.size)
                while len(self._small) > SMALL_FRAMES:
                    self._small.popitem(last=False)
            return self._small[frame]

    @torch.inference_mode()
    def encoded(self, frame: int) -> Encoded:
        """Return the encoded frame, batch size 1. Its first use gets the rounded values of the cache, too."""
        names = [f"{part}-{frame}" for part in Encoded._fields]
        kept = [self._cache.get(name, self.device) for name in names]
        if any(part is None for part in kept):
            fresh = self._network.encode(raw_features(self._trunk, self.small(frame)[None]))
            kept = [fresh.embedding.half(), fresh.context.half(), fresh.f4.half(), (fresh.colours * 255).byte()]
            for name, part in zip(names, kept, strict=True):
                assert part is not None
                self._cache.put(name, part.contiguous())
        embedding, context, f4, colours = (part.float() for part in kept if part is not None)
        return Encoded(embedding, context, f4, colours / 255)

    def flow(self, frame: int, neighbour: int) -> Flow:
        """Return the flow from `frame` back to its neighbour."""
        found = self._kept_flow(frame, neighbour)
        if found is None:
            there, back = flow_between(self._grey(frame), self._grey(neighbour))
            for (a, b), flow in (((frame, neighbour), there), ((neighbour, frame), back)):
                self._cache.put(f"flow-{a}-{b}", torch.cat([flow.back, flow.trust], 1).half())
            kept = torch.cat([there.back, there.trust], 1).half().float()
            found = Flow(kept[:, :2], kept[:, 2:])
        return Flow(*(part.to(self.device) for part in found))

    def _kept_flow(self, frame: int, neighbour: int) -> Flow | None:
        kept = self._cache.get(f"flow-{frame}-{neighbour}")
        return None if kept is None else Flow(kept[:, :2].float(), kept[:, 2:].float())

    def _grey(self, frame: int) -> NDArray[np.uint8]:
        return np.asarray(cv2.cvtColor(self.small(frame), cv2.COLOR_RGB2GRAY), np.uint8)
