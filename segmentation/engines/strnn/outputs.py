"""Computes the outputs of all models for each frame once, in chains along time, and caches them in a byte budget."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

import torch
from torch import Tensor

from segmentation.engines.strnn.network import STRNN
from segmentation.runtime.feature_cache import FeatureCache

OPEN = 2  # number of chains that can be continued, since a round alternates between its two sides
States = list[Tensor | None]
KEPT = torch.float16  # Every use sees the rounded values, so a mask does not depend on what is cached.


class Outputs:
    """Computes and caches the output y of every model for any frame.

    The RNNs run through chains of `chain` frames, at whose start their state is reset. They always run forward in
    time, also for frames before the interacted one. So the features of a frame depend neither on the scribbles nor on
    the order of requests, and all rounds can use them.

    Args:
        network: the models.
        read: frame -> normalised image [1, 3, H, W] on the network's device.
        cache: where outputs are kept.
    """

    def __init__(self, network: STRNN, read: Callable[[int], Tensor], cache: FeatureCache) -> None:
        self._network, self._read, self._cache = network, read, cache
        # First frame of a chain -> the frame that it has reached, and the states there; least recently used first.
        self._chains: OrderedDict[int, tuple[int, States]] = OrderedDict()

    @torch.inference_mode()
    def get(self, frame: int) -> list[Tensor]:
        """Return y, float32 [D, h, w], of every model. Runs the chain up to `frame` where it is not cached."""
        found = self._cached(frame)
        if found is None:
            for step in range(self._first_missing(frame), frame + 1):
                found = self._advance(step)
        assert found is not None  # the range ends with `frame`
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
