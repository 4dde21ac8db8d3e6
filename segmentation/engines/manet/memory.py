"""The two memories of MA-Net, which keep distance maps of frames (equations of the MA-Net paper).

The global memory keeps, for each frame, the distances of its pixels to the scribbled pixels of all rounds (equations 3
and 8). The local memory keeps the distances to the adjacent frame in the last rounds and forgets older rounds
(equations 5 and 6).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from segmentation.engines.manet.rounds import ManetRound, rough_region
from segmentation.networks.matching import References, local_distances
from segmentation.runtime.feature_cache import FeatureCache

Embed = Callable[[int], Tensor]  # Takes the index of a frame, and returns its embedding [C, h, w].


@dataclass(frozen=True)
class MemoryOptions:
    """The options of the global and the local memory, in which the ablations of the MA-Net paper differ (section 4.3).

    The defaults are those of the paper's final network.
    """

    window: int = 12  # k: radius of the window of a local map, in pixels at half the size of an embedding (table 2)
    rounds: int = 2  # R: number of rounds whose local maps are remembered, the present round included (figure 9)
    keep_global: bool = True  # False ("No Global"): only the global maps of the first round are used
    augment: bool = True  # False: the map of the annotated frame itself does not enter the global memory
    # Margin around the scribbles of the first round, outside which all pixels count as background (20 in the official
    # code), in pixels of an embedding.
    margin: int = 20


class GlobalMemory:
    """The global memory: for each frame, id and pixel, the distance of embeddings to the nearest scribbled pixel.

    It is the minimum of the maps of the rounds: for the annotated frame of a round, the local map of this frame with
    itself; for the others, the global map (`References.distances`). 1 means that no pixel of that id was annotated, or,
    in the local map, none within its window.
    """

    def __init__(self, embed: Embed, options: MemoryOptions, cache: FeatureCache) -> None:
        self._embed, self._options, self._cache = embed, options, cache
        self._counts: dict[int, int] = {}  # by frame, number of rounds in its cached map
        self._references: dict[int, References] = {}  # by index of the round

    def read(self, frame: int, rounds: Sequence[ManetRound], ids: Sequence[int]) -> Tensor:
        """Return the global map M [n, h, w] of `frame` after `rounds`, in the paper's notation.

        `ids` must be 0..n-1, but later calls may have more ids.
        """
        embedding = self._embed(frame)
        memory = torch.ones(len(ids), *embedding.shape[1:], device=embedding.device)
        cached = self._cache.get(f"global-{frame}", embedding.device)
        count = self._counts.get(frame, 0) if cached is not None else 0
        if cached is not None:
            memory[: len(cached)] = cached
        used = rounds if self._options.keep_global else rounds[:1]
        # Maps are combined round by round, so that a rebuilt memory is equal to the memory before, to the last bit.
        for index in range(count, len(used)):
            torch.minimum(memory, self._map(frame, embedding, index, rounds[index], ids), out=memory)
        self._cache.put(f"global-{frame}", memory)
        self._counts[frame] = len(used)
        return memory

    def _map(self, frame: int, embedding: Tensor, index: int, round_: ManetRound, ids: Sequence[int]) -> Tensor:
        if frame != round_.frame:
            return self._reference(index, round_).distances(embedding, ids)
        if not self._options.augment:
            return torch.ones(len(ids), *embedding.shape[1:], device=embedding.device)
        return local_distances(embedding, embedding, round_.scribbles, ids, self._options.window)

    def _reference(self, index: int, round_: ManetRound) -> References:
        if index not in self._references:
            scribbles = round_.scribbles
            if index == 0 and any(round_.ids):  # The first round has no background scribbles (section 4.1).
                scribbles = rough_region(scribbles, self._options.margin)
            self._references[index] = References(*labelled_cells(self._embed(round_.frame), scribbles))
        return self._references[index]


class LocalMemory:
    """The local memory: for each frame, its local maps (`local_distances`) in the last R rounds.

    A local map compares a frame with the adjacent frame from which it was propagated. `read` returns the map of the
    round whose annotated frame is nearest to the frame.
    """

    def __init__(self, embed: Embed, options: MemoryOptions, cache: FeatureCache) -> None:
        self._embed, self._options, self._cache = embed, options, cache

    def read(self, frame: int, rounds: Sequence[ManetRound], previous: Tensor, ids: Sequence[int]) -> Tensor:
        """Return the local map L' [n, h, w] of `frame`, in the paper's notation.

        It is that of the round whose annotated frame is nearest to `frame`, among the last R rounds. `previous` [h, w]
        is the mask of the adjacent frame in the newest round. The map of an older round is computed again from the
        masks of that round if it is not cached.
        """
        newest = len(rounds) - 1
        chosen = newest
        for index in range(newest - 1, max(newest - self._options.rounds, -1), -1):
            # Of two rounds at the same distance the older one is used, as in the official code.
            if rounds[index].reached(frame) and self._distance(frame, rounds[index]) <= self._distance(
                frame, rounds[chosen]
            ):
                chosen = index
        key = f"local-{frame}-{chosen}"
        cached = self._cache.get(key, previous.device) if chosen != newest else None
        if cached is not None and len(cached) == len(ids):
            return cached
        neighbour = rounds[chosen].neighbour(frame)
        labels = previous if chosen == newest else rounds[chosen].labels[neighbour].to(previous.device)
        found = local_distances(self._embed(frame), self._embed(neighbour), labels, ids, self._options.window)
        self._cache.put(key, found)
        return found

    @staticmethod
    def _distance(frame: int, round_: ManetRound) -> int:
        return abs(frame - round_.frame)


def labelled_cells(embedding: Tensor, labels: Tensor, most: int | None = None) -> tuple[Tensor, Tensor]:
    """Return the embeddings [R, C] and the ids [R] of the pixels that have an id >= 0 in `labels` [h, w].

    If `most` is given, at most that many evenly spaced pixels of each id are used.
    """
    flat, ids = embedding.flatten(1).t(), labels.flatten()
    chosen = torch.nonzero(ids >= 0)[:, 0]
    if most is not None:
        parts = [chosen[ids[chosen] == label] for label in torch.unique(ids[chosen])]
        chosen = torch.cat([part[:: -(-len(part) // most)] for part in parts])
    return flat[chosen].contiguous(), ids[chosen]
