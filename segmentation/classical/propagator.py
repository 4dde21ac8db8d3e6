"""Propagates all objects from the frame that was drawn on, frame by frame, either forward or backward."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from segmentation.classical.appearance import AppearanceSample
from segmentation.classical.appearance_cache import AppearanceCache
from segmentation.classical.composition import Composition
from segmentation.classical.flow_cache import FlowCache
from segmentation.classical.mask_history import MaskHistory, update_with_confidence
from segmentation.classical.motion import CameraMotion, Motion
from segmentation.classical.object_tracker import ObjectTracker
from segmentation.classical.scaled_frames import ScaledFrames
from segmentation.classical.specks import specks, without_specks
from segmentation.runtime.parallel import HelperThread
from segmentation.session.constraints import Constraints, with_pixels
from segmentation.types import FloatMap, LabelMap, MaskUpdate

# A round's new masks are averaged with the older masks, see `_weighed`. "Change" is 1 - J between the masks before and
# after the interaction, in the frame that was drawn on.
LEAST_SAY = 0.55  # Smallest weight of the new masks: far from the frame that was drawn on, after a very small change.
LARGE_CHANGE = 0.3  # Change from which on the new masks have full weight in all frames.
FAR = 20  # Distance in frames from the frame that was drawn on at which the smallest weight is reached.
DISTRUST = 16.0  # How much faster the weight of older masks falls after a larger change.
# A correction changes other frames up to this distance around the corrected region, as a share of the width.
MARGIN = 0.02
FAINT = 0.1  # If a warped region is below this value everywhere, it is lost.
MOST_LOOKS = 8  # Largest number of annotated frames from which the models of an object are made, the nearest ones.


# Takes a frame index, the frame's motion to the previous frame, and the probability map of each object at the reduced
# size `Sizes.grid`. Returns better maps, from which the propagation continues.
RefinePropagated = Callable[[int, Motion, dict[int, FloatMap]], dict[int, FloatMap]]


@dataclass(eq=False)
class RoundContext:
    """The data of a round that its forward and its backward propagator share."""

    scaled_frames: ScaledFrames
    flow_cache: FlowCache
    appearance_cache: AppearanceCache
    history: MaskHistory
    helper: HelperThread
    locked: Mapping[int, LabelMap]  # by frame, the masks that no round may change
    sure: Mapping[int, frozenset[int]]  # by frame, the objects in it whose pixels a person accepted or painted
    constraints: Constraints
    held: frozenset[int]  # frames whose masks this round has already computed
    zone: range  # frames that this round may compute
    num_objects: int
    refine: RefinePropagated | None = None
    prepare: Callable[[int], None] | None = None

    def mask(self, frame: int) -> LabelMap:
        """Return the current mask of `frame`: the accepted mask, else the newest mask, else an empty mask.

        Pixels that a person painted have priority over the newest mask.
        """
        if frame in self.locked:
            return self.locked[frame]
        mask = self.history.mask(frame)
        if mask is None:
            mask = np.zeros(self.scaled_frames.sizes.video, np.uint8)
        fixed = self.constraints.fixed_labels(frame)
        return mask if fixed is None else with_pixels(mask, fixed, self.constraints.fixed_ids(frame))

    def on_grid(self, frame: int, object_id: int) -> FloatMap:
        """Return the share of each pixel that the object's current mask in `frame` covers, at the size `Sizes.grid`."""
        return self.to_grid(self.mask(frame) == object_id)

    def to_grid(self, mask: NDArray[np.bool_]) -> FloatMap:
        height, width = self.scaled_frames.sizes.grid
        return cv2.resize(mask.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA).view(np.ndarray)

    def appearance_samples(self, object_id: int, start: int) -> list[AppearanceSample]:
        """Return the appearance models of the object in the annotated and accepted frames nearest to `start`."""
        annotated = self.history.annotated.get(object_id, set())
        accepted = {f for f, ids in self.sure.items() if object_id in ids}
        nearest = sorted(annotated | accepted, key=lambda f: (abs(f - start), f))[:MOST_LOOKS]
        return [self.appearance_cache.of(object_id, frame, self.on_grid(frame, object_id)) for frame in nearest]

    def has_mask(self, frame: int) -> bool:
        return frame in self.locked or frame in self.history

    def keeps(self, frame: int) -> bool:
        """Whether the mask of a frame must not change: it is accepted, or this round has already computed it."""
        return frame in self.locked or frame in self.held


@dataclass(frozen=True, eq=False)
class MaskChange:
    """How an interaction changed the mask of an object in the frame that was drawn on.

    `size` is 1 - J between the masks before and after. `where` [H, W] are the changed pixels, or None if the frame had
    no mask before.
    """

    size: float
    where: NDArray[np.bool_] | None


class Propagator:
    """Propagates the objects of a round in one direction. Each call of `step` computes the mask of the next frame."""

    def __init__(
        self,
        context: RoundContext,
        start: int,
        direction: int,
        changes: Mapping[int, MaskChange],
        removed: Mapping[int, NDArray[np.bool_]],
    ) -> None:
        """Prepare the propagation.

        Args:
            context: the data of the round.
            start: the frame that was drawn on.
            direction: 1 for forward, -1 for backward.
            changes: by id, the objects that the interaction annotated, and how it changed them in the start frame.
            removed: by id, the masks [H, W] before the interaction of those objects in `changes` that are no longer in
                the start frame.
        """
        self._context = context
        self._start = self._frame = start
        self._direction = direction
        self._ends = {object_id: self._end(object_id) for object_id in changes}
        self._changes = changes
        self._regions = {object_id: region for object_id in changes if (region := self._region(object_id)) is not None}
        self._trackers: dict[int, ObjectTracker] = {}
        self._has_specks: dict[int, bool] = {}
        self._ahead: tuple[int, Motion] | None = None
        self._removed = {object_id: context.to_grid(mask) for object_id, mask in removed.items() if mask.any()}
        ahead = range(start + direction, context.zone.stop if direction > 0 else context.zone.start - 1, direction)
        missing = [f for f in ahead if not context.has_mask(f)]
        reach = [abs(end - start) - 1 for end in self._ends.values()]
        self._last = min(len(ahead), max([abs(f - start) for f in missing[-1:]] + reach, default=0))

    @property
    def next(self) -> int:
        """The index of the frame whose mask the next call of `step` computes."""
        return self._frame + self._direction

    def more(self) -> bool:
        return abs(self._frame - self._start) < self._last

    def step(self) -> MaskUpdate | None:
        """Go to the next frame and compute its mask. Return None if the frame keeps the mask it has."""
        before, self._frame = self._frame, self.next
        frame = self._frame
        if self._context.keeps(frame):
            self._trackers.clear()
            return None
        active = {o for o, end in self._ends.items() if abs(frame - self._start) < abs(end - self._start)}
        missing = not self._context.has_mask(frame)
        followed = set(self._context.history.annotated) if missing else active
        for object_id in set(self._trackers) - followed:
            del self._trackers[object_id]
        if not followed and not missing:
            return None
        update = self._follow(frame, before, sorted(followed), missing)
        for object_id in self._context.constraints.fixed_ids(frame):
            self._trackers.pop(object_id, None)  # The next step begins from the pixels that a person painted.
        return update

    def _follow(self, frame: int, before: int, followed: list[int], missing: bool) -> MaskUpdate:
        context = self._context
        scaled, neighbour = context.scaled_frames[frame], context.scaled_frames[before]
        known, motion = self._ahead or (None, None)
        if motion is None or known != frame:
            motion = context.flow_cache.between(frame, before)
        if not missing:
            followed = [o for o in followed if o not in self._removed or self._still_removed(frame, o, motion)]
        for object_id in followed:
            if object_id not in self._trackers:
                tracker = ObjectTracker(
                    context.appearance_samples(object_id, self._start), context.on_grid(before, object_id)
                )
                tracker.begin(neighbour)
                self._trackers[object_id] = tracker
        if not missing:
            followed = [o for o in followed if self._region_goes_on(frame, o, motion) and self._in_sight(frame, o)]
        warped = {o: motion.warp(self._trackers[o].probability) for o in followed}
        composition = Composition(context.scaled_frames.sizes)
        confidence = [context.history.confidence(frame, object_id) for object_id in range(1, context.num_objects + 1)]
        background = np.ones(motion.trust.shape, bool)
        for values in warped.values():
            background &= values < 0.2
        camera = CameraMotion.of(motion, background)
        standing = None if missing else context.mask(frame)
        steps, self._ahead = context.helper.run_both(
            lambda: {o: self._trackers[o].step(frame, scaled, motion, camera, warped[o]) for o in followed},
            self._look_ahead,
        )
        fresh = self._stepped(frame, motion, steps, warped)
        for object_id in followed:
            confidence[object_id - 1] = self._trackers[object_id].confidence
            composition.add(object_id, self._weighed(object_id, fresh[object_id], missing), scaled)
        if standing is not None:
            for object_id in set(np.unique(standing)) - {0, *followed}:
                composition.add_given(int(object_id), standing == object_id)
        return update_with_confidence(frame, composition.labels(), confidence)

    def _look_ahead(self) -> tuple[int, Motion] | None:
        """Compute ahead the motion that the next step needs, while this step runs in another thread.

        Return the index of the next frame and its motion to the present frame, or None if there is nothing to prepare.
        """
        context, frame = self._context, self.next
        if not self.more() or context.keeps(frame):
            return None
        try:
            if context.prepare is not None:
                context.prepare(frame)
            return frame, context.flow_cache.between(frame, self._frame)
        except Exception:  # The next step, if it comes, computes the motion itself and raises the error again.
            return None

    def _stepped(
        self, frame: int, motion: Motion, fresh: dict[int, FloatMap], warped: dict[int, FloatMap]
    ) -> dict[int, FloatMap]:
        """Improve the probability maps `fresh` of `frame` by the refiner and remove their specks. Return the new maps.

        The trackers continue from the result. `warped` are the maps of the previous frame, warped along the flow. Small
        separate parts are kept if the object has such parts in the frame that was drawn on.
        """
        if self._context.refine is not None and fresh:
            fresh = self._context.refine(frame, motion, fresh)
        for object_id, probability in fresh.items():
            meant = warped[object_id] > 0.5 if self._in_parts(object_id) else None
            fresh[object_id] = self._trackers[object_id].probability = without_specks(probability, meant)
        return fresh

    def _in_parts(self, object_id: int) -> bool:
        """Whether the object has small separate parts in the frame that was drawn on, where a person wanted them."""
        if object_id not in self._has_specks:
            self._has_specks[object_id] = bool(specks(self._context.on_grid(self._start, object_id) > 0.5).any())
        return self._has_specks[object_id]

    def _region(self, object_id: int) -> FloatMap | None:
        """Return the region, 0..1, in which a correction may change the object in other frames; None means everywhere.

        A small correction changes only the surroundings of the corrected region. The rest of the mask was right before,
        and computing it again could only make it worse.
        """
        change = self._changes[object_id]
        if change.where is None or change.size >= LARGE_CHANGE:
            return None
        grid = self._context.to_grid(change.where)
        reach = max(1, round(MARGIN * grid.shape[1]))
        grown = cv2.dilate(grid, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1)))
        return cv2.GaussianBlur(grown, (0, 0), reach / 2).view(np.ndarray)

    def _region_goes_on(self, frame: int, object_id: int, motion: Motion) -> bool:
        """Warp the region in which the correction of an object may change masks to `frame`.

        If the region vanishes, end the propagation of the object and return False.
        """
        region = self._regions.get(object_id)
        if region is None:
            return True
        self._regions[object_id] = warped = motion.warp(region)
        if warped.max() >= FAINT:
            return True
        self._ends[object_id] = frame
        return False

    def _in_sight(self, frame: int, object_id: int) -> bool:
        """Whether the object was found, or removed, in the previous frame. If not, end its propagation.

        After the frame in which this round loses an object, the object keeps the masks of earlier rounds.
        """
        if object_id in self._removed or self._trackers[object_id].probability.max() > 0.5:
            return True
        self._ends[object_id] = frame
        return False

    def _still_removed(self, frame: int, object_id: int, motion: Motion) -> bool:
        """Whether the object's current mask in `frame` is where the removed mask was. If not, stop removing.

        A person who removes a false mask in one frame says nothing about a mask at another place.
        """
        standing = self._context.on_grid(frame, object_id)
        common = float(np.minimum(standing, motion.warp(self._removed[object_id])).sum())
        if common < 0.5 * float(standing.sum()) or not standing.any():
            self._ends[object_id] = frame
            return False
        self._removed[object_id] = standing
        return True

    def _weighed(self, object_id: int, fresh: FloatMap, missing: bool) -> FloatMap:
        """Average the new probability map `fresh` of an object with its current mask, and return the result.

        The weight of the new map falls to 0 at the next frame where the object was annotated before. If the frame has
        no mask yet (`missing`), the new map is returned as it is. A removed object otherwise gets an empty map.
        """
        end = self._ends.get(object_id)
        inside = end is not None and 0 <= end < len(self._context.scaled_frames)
        if object_id in self._removed and not missing:
            return np.zeros_like(fresh)
        if missing or end is None:
            return fresh
        distance = abs(self._frame - self._start)
        # A small correction has less weight in frames far away.
        least = LEAST_SAY + (1 - LEAST_SAY) * min(1.0, self._changes[object_id].size / LARGE_CHANGE)
        weight = 1 - (1 - least) * min(1.0, distance / FAR)
        if inside:
            # The larger the correction, the less the older masks count between here and the older annotation.
            power = 1 + DISTRUST * self._changes[object_id].size
            weight = min(weight, 1 - (distance / abs(end - self._start)) ** power)
        everywhere = np.ones_like(fresh)
        share = np.float32(weight) * self._regions.get(object_id, everywhere)
        return share * fresh + (1 - share) * self._context.on_grid(self._frame, object_id)

    def _end(self, object_id: int) -> int:
        """Return the frame at which the propagation of an object ends.

        It is the next frame where the object was annotated, accepted or painted; else the index just outside the video.
        """
        context = self._context
        given = (context.history.annotated.get(object_id, set()) - {self._start}) | set(context.locked)
        given |= {f for f in context.sure if object_id in context.constraints.fixed_ids(f)}
        ahead = [f for f in given if (f - self._start) * self._direction > 0]
        beyond = len(context.scaled_frames) if self._direction > 0 else -1
        return min(ahead, key=lambda f: abs(f - self._start), default=beyond)
