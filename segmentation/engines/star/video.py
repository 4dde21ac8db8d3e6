"""Computes the features and the optical flow of a video's frames, and keeps them in a cache of limited size."""

from __future__ import annotations

from collections import OrderedDict
from threading import RLock

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from segmentation.engines.star.features import Flow, flow_between, raw_features, resized, working_size
from segmentation.engines.star.network import Encoded, Star
from segmentation.runtime.feature_cache import FeatureCache
from segmentation.trunk import Trunk
from segmentation.types import FrameSource

SMALL_FRAMES = 8  # Number of cached frames at the working size, enough for the current steps.
PICTURES = 2  # Number of cached frames at the size of the video: one for each direction.


class Video:
    """The features of a video's frames and the flow between adjacent frames, at STAR's working size.

    Several threads may use it at once.
    """

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
        self._pictures: OrderedDict[int, NDArray[np.uint8]] = OrderedDict()
        self._lock = RLock()

    def __len__(self) -> int:
        return len(self.frames)

    def picture(self, frame: int) -> NDArray[np.uint8]:
        """Return the frame at the size of the video, uint8 RGB [H, W, 3]."""
        with self._lock:
            if frame not in self._pictures:
                self._pictures[frame] = self.frames[frame]
                while len(self._pictures) > PICTURES:
                    self._pictures.popitem(last=False)
            return self._pictures[frame]

    def small(self, frame: int) -> NDArray[np.uint8]:
        """Return the frame at the working size, uint8 RGB [H, W, 3]."""
        with self._lock:
            if frame not in self._small:
                self._small[frame] = resized(self.picture(frame), self.size)
                while len(self._small) > SMALL_FRAMES:
                    self._small.popitem(last=False)
            return self._small[frame]

    def compute(self, frame: int, neighbour: int) -> None:
        """Compute the features of a frame and its flow to an adjacent frame, unless the cache has them."""
        if self._cache.get(f"embedding-{frame}", self.device) is None:
            self.encoded(frame)
        if self._cache.get(f"flow-{frame}-{neighbour}") is None:
            self.flow(frame, neighbour)

    def embedding(self, frame: int) -> Tensor:
        """Return the embedding of a frame, [E, h, w]."""
        kept = self._cache.get(f"embedding-{frame}", self.device)
        return self.encoded(frame).embedding[0] if kept is None else kept[0].float()

    @torch.inference_mode()
    def encoded(self, frame: int) -> Encoded:
        """Return the features of a frame, with batch size 1.

        The cache keeps them in half precision. The first use gets these rounded values too, so that results do not
        depend on the state of the cache.
        """
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
        """Return the flow from `frame` to the adjacent frame `neighbour`."""
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
