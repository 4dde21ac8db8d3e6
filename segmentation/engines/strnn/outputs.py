"""Computes the outputs of the branches of ST-RNN (a backbone with its RNN) for each frame, and caches them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

import torch
from torch import Tensor

from segmentation.engines.strnn.network import STRNN
from segmentation.runtime.feature_cache import FeatureCache

OPEN = 2  # Number of chains whose states are kept: a round works forward and backward in turn.
States = list[Tensor | None]
KEPT = torch.float16  # Every use gets these rounded values, so that a mask does not depend on the state of the cache.


class Outputs:
    """Computes and caches the output y of every branch for any frame.

    The video is divided into chains of `STRNNConfig.chain` frames, at whose start the state of the RNNs is reset. The
    RNNs always run forward in time, also for frames before the frame that was drawn on. So the outputs of a frame
    depend neither on the scribbles nor on the order of requests, and all rounds can use them.

    Args:
        network: the network with its branches.
        read: returns a frame as a normalised image [1, 3, H, W] on the network's device.
        cache: keeps the outputs.
    """

    def __init__(self, network: STRNN, read: Callable[[int], Tensor], cache: FeatureCache) -> None:
        self._network, self._read, self._cache = network, read, cache
        # By the first frame of a chain: the frame to which it was computed, and the states there; least recent first.
        self._chains: OrderedDict[int, tuple[int, States]] = OrderedDict()

    @torch.inference_mode()
    def get(self, frame: int) -> list[Tensor]:
        """Return the output y of every branch for a frame, float32 [D, h, w].

        If it is not cached, frames of its chain before it are computed first, as far as it needs them.
        """
        found = self._cached(frame)
        if found is None:
            for step in range(self._first_missing(frame), frame + 1):
                found = self._advance(step)
        assert found is not None  # The range ends with `frame`.
        return [y.float() for y in found]

    def _first_missing(self, frame: int) -> int:
        start = self._chain_start(frame)
        reached, _ = self._chains.get(start, (start - 1, None))
        return reached + 1 if reached < frame else start

    def _advance(self, frame: int) -> list[Tensor]:
        start = self._chain_start(frame)
        before: States = [None] * len(self._network.branches)
        if frame > start:
            _, before = self._chains.pop(start)
        outputs, states = self._network(self._read(frame), before)
        self._chains[start] = frame, list(states)
        self._chains.move_to_end(start)
        while len(self._chains) > OPEN:
            self._chains.popitem(last=False)
        kept = [y.to(KEPT) for y in outputs]
        for model, y in enumerate(kept):
            self._cache.put(f"model{model}-{frame}", y)
        return kept

    def _cached(self, frame: int) -> list[Tensor] | None:
        found = []
        for model in range(len(self._network.branches)):
            y = self._cache.get(f"model{model}-{frame}", self._device)
            if y is None:
                return None
            found.append(y)
        return found

    def _chain_start(self, frame: int) -> int:
        chain = self._network.config.chain
        return frame - frame % chain if chain else 0

    @property
    def _device(self) -> torch.device:
        return next(self._network.parameters()).device
