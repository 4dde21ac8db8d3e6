"""How RGMP carries masks: from the annotated frames, to both sides, and together where they meet."""

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

TOGETHER = 64  # frames between two anchors up to which both reach all of them: no step shows anything until one has


class Carrier:
    """What one round carries.

    Args:
        refinement: RGMP.
        picture: frame -> RGB [1, 3, H, W] in 0..1, at the size at which masks are carried.
        anchors: the frames that others start from; at least one.
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
        """Of every frame 0..count - 1 but the anchors: its number, a distribution over `ids` [n, H, W], and the ids
        that an anchor shows from which it was reached: of others nothing was carried. They come outward from `start`,
        an anchor, from both sides in turns; None after a step that nothing is shown of yet."""
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
        """The frames to one side of `start`, gap by gap: `frames` from it to the end of the video, `anchors` among them
        in their order."""
        near = start
        for far in anchors:
            between = range(near + frames.step, far, frames.step)
            if len(between) < TOGETHER:
                yield from self._from_both(near, far, between)
            else:  # each those that it is nearest to
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
        """Between two anchors: both chains, weighed by how near a frame is to where each began."""
        if not between:
            return
        shown, length = self._shown(near) | self._shown(far), abs(far - near)
        others: dict[int, Tensor] = {}
        for frame, p in self._chain(far, between[::-1]):
            # In steps of 1/255: a chain of 64 frames at 480p would be 100 MB for each object.
            others[frame] = (255 * p).round().to(torch.uint8)
            yield None
        for frame, p in self._chain(near, between):
            share = abs(far - frame) / length
            yield frame, share * p + (1 - share) * others.pop(frame).to(p) / 255, shown

    def _chain(self, anchor: int, frames: Sequence[int]) -> Iterator[tuple[int, Tensor]]:
        """From `anchor` through `frames`, which follow one another."""
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
        """Soft masks of the neighbour [n - 1, H, W] -> distribution over ids [n, H, W]."""
        return aggregate(self._refinement(self._picture(frame), masks, references))

    def _shown(self, anchor: int) -> frozenset[int]:
        return frozenset(np.unique(self._labels(anchor)).tolist())

    def _masks(self, anchor: int) -> Tensor:
        """Masks of the objects in an anchor at the size of pictures, 0..1, [n - 1, H, W]."""
        picture, labels = self._picture(anchor), self._labels(anchor)
        stack = torch.from_numpy(np.stack([labels == id_ for id_ in self._ids[1:]]).astype(np.float32)).to(picture)
        return F.interpolate(stack[None], size=picture.shape[-2:], mode="bilinear", align_corners=False)[0]
