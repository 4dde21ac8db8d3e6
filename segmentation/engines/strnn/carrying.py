"""Propagates masks with RGMP from the annotated frames to both sides, and averages where two propagations meet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from segmentation.engines.strnn.refinement import Refinement
from segmentation.networks.aggregation import aggregate
from segmentation.types import LabelMap

Carried = tuple[int, Tensor, frozenset[int]]

TOGETHER = 64  # fewer frames between two anchors get masks from both; nothing is shown before one has reached them all


class Carrier:
    """Propagates masks by RGMP in one round.

    Args:
        refinement: RGMP.
        picture: frame -> RGB [1, 3, H, W] in 0..1, at the size at which masks are propagated.
        anchors: the annotated frames, from which masks are propagated; at least one.
        labels: anchor -> its mask at the video's size.
        ids: background (0) first, then the objects; at least one of these.
    """

    def __init__(
        self,
        refinement: Refinement,
        picture: Callable[[int], Tensor],
        anchors: Iterable[int],
        labels: Callable[[int], LabelMap],
        ids: Sequence[int],
    ) -> None:
        self._refinement, self._picture, self._labels = refinement, picture, labels
        self._anchors, self._ids = sorted(anchors), ids

    def distributions(self, start: int, count: int) -> Iterator[Carried | None]:
        """Propagate outward from the anchor `start`, alternating between both sides, in a video of `count` frames.

        Yields for each frame except the anchors: its index, a distribution over `ids` [n, H, W], and the ids that the
        anchors of its propagation show. Other ids were not propagated to it. Yields None after a step whose frame gets
        its mask only later.
        """
        later = [anchor for anchor in self._anchors if anchor > start]
        earlier = [anchor for anchor in reversed(self._anchors) if anchor < start]
        sides = [self._side(start, later, range(start, count)), self._side(start, earlier, range(start, -1, -1))]
        while sides:
            for side in tuple(sides):
                try:
                    yield next(side)
                except StopIteration:
                    sides.remove(side)

    def _side(self, start: int, anchors: Sequence[int], frames: range) -> Iterator[Carried | None]:
        """Propagate on one side of `start`, from one anchor to the next.

        `frames` runs from `start` to the end of the video, and `anchors` are the anchors in it, in the same order.
        """
        near = start
        for far in anchors:
            between = range(near + frames.step, far, frames.step)
            if len(between) < TOGETHER:
                yield from self._from_both(near, far, between)
            else:  # each anchor propagates to the frames that it is nearest to
                middle = (near + far) // 2
                half = middle - near if frames.step > 0 else near - middle - 1
                yield from self._from_one(near, between[:half])
                yield from self._from_one(far, between[half:][::-1])
            near = far
        yield from self._from_one(near, range(near + frames.step, frames.stop, frames.step))

    def _from_one(self, anchor: int, frames: Sequence[int]) -> Iterator[Carried]:
        shown = self._shown(anchor) if frames else frozenset()
        for frame, p in self._chain(anchor, frames):
            yield frame, p, shown

    def _from_both(self, near: int, far: int, between: range) -> Iterator[Carried | None]:
        """Propagate from two anchors to the frames between them, and average: a nearer anchor has a larger weight."""
        if not between:
            return
        shown, length = self._shown(near) | self._shown(far), abs(far - near)
        others: dict[int, Tensor] = {}
        for frame, p in self._chain(far, between[::-1]):
            # Stored as uint8 to save memory: in float32, 64 frames at 480p would take 100 MB for each object.
            others[frame] = (255 * p).round().to(torch.uint8)
            yield None
        for frame, p in self._chain(near, between):
            share = abs(far - frame) / length
            yield frame, share * p + (1 - share) * others.pop(frame).to(p) / 255, shown

    def _chain(self, anchor: int, frames: Sequence[int]) -> Iterator[tuple[int, Tensor]]:
        """Propagate from `anchor` through `frames`, which are consecutive. Yields each frame with its distribution."""
        if not frames:
            return
        masks = self._masks(anchor)
        references = self._reference(anchor, masks)
        for frame in frames:
            found = self._step(frame, masks, references)
            yield frame, found
            masks = found[1:]

    @torch.inference_mode()
    def _reference(self, frame: int, masks: Tensor) -> Tensor:
        return self._refinement.reference(self._picture(frame), masks)

    @torch.inference_mode()
    def _step(self, frame: int, masks: Tensor, references: Tensor) -> Tensor:
        """Propagate the soft masks of the neighbour, [n - 1, H, W], to `frame`: a distribution over ids [n, H, W]."""
        return aggregate(self._refinement(self._picture(frame), masks, references))

    def _shown(self, anchor: int) -> frozenset[int]:
        return frozenset(np.unique(self._labels(anchor)).tolist())

    def _masks(self, anchor: int) -> Tensor:
        """Return the masks of the objects in an anchor, resized to the size of `picture`, 0..1, [n - 1, H, W]."""
        picture, labels = self._picture(anchor), self._labels(anchor)
        stack = torch.from_numpy(np.stack([labels == id_ for id_ in self._ids[1:]]).astype(np.float32)).to(picture)
        return F.interpolate(stack[None], size=picture.shape[-2:], mode="bilinear", align_corners=False)[0]
