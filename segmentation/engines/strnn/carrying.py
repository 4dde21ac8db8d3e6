"""Propagates masks forward and backward from the annotated frames by RGMP, for late rounds of ST-RNN.

RGMP is a network that propagates masks (`refinement.Refinement`). Between two annotated frames, the masks propagated
from both are averaged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from segmentation.engines.strnn.refinement import Refinement
from segmentation.networks.aggregation import aggregate
from segmentation.types import LabelMap

Carried = tuple[int, Tensor, frozenset[int]]  # Frame, probabilities [n, H, W], and ids: see `Carrier.distributions`.

# If fewer frames than this are between two annotated frames, they get masks from both. Their masks are then shown only
# after those from the farther annotated frame have been computed for all of them.
TOGETHER = 64


class Carrier:
    """Propagates the masks of annotated frames (anchors) to all other frames by RGMP, in a round.

    Args:
        refinement: the network RGMP.
        picture: returns a frame, RGB [1, 3, H, W] in 0..1, at the size at which masks are propagated.
        anchors: the annotated frames, from which masks are propagated; at least one.
        labels: returns the mask of an annotated frame at the video's size.
        ids: 0 (background), then the ids of the objects; at least one object.
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
        """Propagate masks outward from the annotated frame `start`, on both sides in turn, through `count` frames.

        Yields for each frame that is not annotated: its index, the probabilities of the n `ids`, [n, H, W], and the ids
        in the annotated frames from which it was propagated (no other ids were propagated to it). Yields None after a
        step that has not completed the mask of a frame.
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
        """Propagate on one side of `start`, from each annotated frame to the next.

        `frames` goes from `start` to the end of the video on this side; `anchors` are the annotated frames after
        `start` in it, in the same order.
        """
        near = start
        for far in anchors:
            between = range(near + frames.step, far, frames.step)
            if len(between) < TOGETHER:
                yield from self._from_both(near, far, between)
            else:  # Each annotated frame propagates to the frames that are nearer to it than to the other.
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
        """Propagate from two annotated frames, `near` and `far`, to the frames between them, and average the maps.

        The nearer annotated frame has the larger weight. Yields None for each step from `far`.
        """
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
        """Propagate from an annotated frame through `frames`, which follow it without a gap.

        Yields each frame with the probabilities of the n ids in it, [n, H, W].
        """
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
        """Propagate the probability maps of the objects in the adjacent frame, [n - 1, H, W], to `frame`.

        Return the probabilities of background and objects, [n, H, W]. `references` are the encoded annotated frame.
        """
        return aggregate(self._refinement(self._picture(frame), masks, references))

    def _shown(self, anchor: int) -> frozenset[int]:
        return frozenset(np.unique(self._labels(anchor)).tolist())

    def _masks(self, anchor: int) -> Tensor:
        """Return the masks of the objects in an annotated frame as maps 0..1, [n - 1, H, W], at the size of frames."""
        picture, labels = self._picture(anchor), self._labels(anchor)
        stack = torch.from_numpy(np.stack([labels == id_ for id_ in self._ids[1:]]).astype(np.float32)).to(picture)
        return F.interpolate(stack[None], size=picture.shape[-2:], mode="bilinear", align_corners=False)[0]
