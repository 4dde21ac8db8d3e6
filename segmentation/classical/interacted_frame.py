"""Computes the mask of the frame that was drawn on (the interacted frame) from its scribbles.

Each object is segmented by GrabCut at a small size (`grabcut.SIDE`); its outline is then computed at the video's size.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from segmentation.classical.asked_changes import with_asked_changes
from segmentation.classical.composition import Composition
from segmentation.classical.correction_reach import certain_region
from segmentation.classical.grabcut import SIDE, Corrections, correct_mask, cut_object
from segmentation.classical.motion import FlowEstimator, Motion
from segmentation.classical.pixel_features import CHANNELS, UNITS
from segmentation.classical.scaled_frames import ScaledFrame, ScaledFrames, Sizes, smaller
from segmentation.classical.seeding import Seeds
from segmentation.classical.specks import specks, without_specks
from segmentation.masks import resize_labels
from segmentation.scribbles import NO_SCRIBBLE, Raster, dilate, rasterise
from segmentation.types import BinaryMask, FloatMap, LabelMap, Scribble

FIRST_STROKE = 3  # Thickness of an object's first scribbles, in pixels of the small size.
STROKE = 1  # Thickness of corrections, which are often drawn into narrow regions.


@dataclass(frozen=True, eq=False)
class ObjectEvidence:
    """What is known of an object in the frame that was drawn on. All maps are [h, w] at the size of GrabCut."""

    cut: BinaryMask  # the mask that GrabCut found from the scribbles
    likely: FloatMap  # likelihood before GrabCut, 0..1; in a correction, `before` with what certainly changes
    before: BinaryMask  # the object's mask before the interaction
    motion: Motion | None  # motion to an adjacent frame; None in a video of one frame
    own: BinaryMask  # pixels of the object's scribbles
    others: BinaryMask  # pixels of the scribbles of other objects and of the background
    missed: BinaryMask  # pixels of the object's new scribbles that are not in `before`
    extra: BinaryMask  # pixels of new scribbles of other objects or the background that are in `before`

    @property
    def known(self) -> BinaryMask:
        """Pixels that belong to the object according to GrabCut, its scribbles or its earlier mask."""
        return self.cut | self.before | self.own

    @property
    def contradicts(self) -> bool:
        """Whether any new scribble contradicts the object's mask before the interaction."""
        return bool(self.missed.any() or self.extra.any())


def evidence_from_probability(probability: FloatMap, motion: Motion | None) -> ObjectEvidence:
    """Return what is known of an object that has no scribbles in the frame.

    `probability` is its probability map [h, w]; its mask is where that is above 0.5. `motion` is the motion to an
    adjacent frame.
    """
    found: BinaryMask = probability > 0.5
    nothing = np.zeros_like(found)
    return ObjectEvidence(found, probability, found, motion, nothing, nothing, nothing, nothing)


@dataclass(frozen=True, eq=False)
class UndrawnFrame:
    """What segmenting a frame needs that does not depend on scribbles.

    `picture` is the frame at the size of GrabCut, and `motion` its motion to an adjacent frame at this size; None in a
    video of one frame.
    """

    picture: ScaledFrame
    motion: Motion | None

    @classmethod
    def of(cls, scaled_frames: ScaledFrames, frame: int) -> UndrawnFrame:
        picture = smaller(scaled_frames[frame], SIDE)
        picture.lifted_features  # noqa: B018 (it is computed and kept when it is first read)
        return cls(picture, _motion(scaled_frames, frame, picture))

    @staticmethod
    def largest(sizes: Sizes) -> int:
        """Return an upper bound of the bytes of features that an undrawn frame of a video of these sizes keeps."""
        shorter, longer = sorted(sizes.grid)
        return SIDE * (SIDE * shorter // longer + 1) * (CHANNELS + UNITS + 1) * 4


# Takes a frame index and the evidence of an object; returns its probability map at the reduced size `Sizes.grid`.
RefineInteracted = Callable[[int, ObjectEvidence], FloatMap]


class InteractedFrame:
    """Segments the frame that was drawn on, from its new `scribbles` and its mask `before` (None: it has none yet).

    Pixels under `earlier` scribbles of this frame keep the object ids of these scribbles, which change no other pixels.
    `seed` is that of GrabCut. `undrawn` is the part that does not depend on scribbles, if it was computed ahead; else
    None.
    """

    def __init__(
        self,
        scaled_frames: ScaledFrames,
        frame: int,
        earlier: Sequence[Scribble],
        scribbles: Sequence[Scribble],
        before: LabelMap | None,
        seed: int,
        undrawn: UndrawnFrame | None = None,
    ) -> None:
        undrawn = undrawn or UndrawnFrame.of(scaled_frames, frame)
        self._scaled_frames, self._frame, self._seed = scaled_frames, frame, seed
        self._scribbles, self._everything = scribbles, [*earlier, *scribbles]
        self._before: LabelMap = np.zeros(scaled_frames.sizes.video, np.uint8) if before is None else before
        self._picture, self._motion = undrawn.picture, undrawn.motion
        height, width = self._picture.grey.shape
        self._old = resize_labels(self._before, height, width)
        self._new, self._every = (_thick(lines, height, width, STROKE) for lines in (scribbles, self._everything))
        self._thick = _thick(self._everything, height, width, FIRST_STROKE)

    def labels(self, refine_interacted: RefineInteracted | None = None, limited: bool = True) -> LabelMap:
        """Compute the new mask of the frame.

        Pixels under a scribble get its object id; where scribbles cross, the last one counts. Objects that no new
        scribble belongs to or runs over keep the pixels that the other objects do not take from them.

        Args:
            refine_interacted: improves the map of each object whose mask a new scribble contradicts; None: the masks
                of GrabCut are used.
            limited: whether a refined mask changes only as the new scribbles ask (`with_asked_changes`). If not, the
                objects of the new scribbles and those that they run over change everywhere. Other objects still lose
                only pixels that a scribble asks for.
        """
        height, width = self._old.shape
        cut: dict[int, BinaryMask] = {}
        finished: dict[int, FloatMap] = {}
        concerned = self._concerned()
        for object_id in concerned:
            evidence = self.evidence(object_id)
            meant = evidence.own | evidence.before
            cut[object_id] = evidence.cut & ~specks(evidence.cut, meant)
            if refine_interacted is not None and evidence.contradicts:
                whole = refine_interacted(self._frame, evidence)
                on_grid = cv2.resize(meant.astype(np.uint8), whole.shape[::-1], interpolation=cv2.INTER_NEAREST) > 0
                finished[object_id] = whole = without_specks(whole, on_grid)
                cut[object_id] = cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA) > 0.5
        scaled = self._scaled_frames[self._frame]
        labels = _drawn(cut, finished, self._before, self._old, scaled, self._scaled_frames.sizes)
        if refine_interacted is None:
            _change_over(labels, self._before, self._scribbles)
        else:  # Near the scribbles the refiner alone decides which pixels change.
            picture = cv2.resize(scaled.work, labels.shape[::-1]).view(np.ndarray)
            sure = _probability_of(labels, self._before, finished)
            free = () if limited else (0, *concerned)
            labels = with_asked_changes(self._before, labels, self._scribbles, picture, sure, free)
        return _under_strokes(labels, self._everything)

    def _concerned(self) -> list[int]:
        """Return the ids of objects that have a new scribble, or whose mask a new scribble with another id crosses."""
        drawn = self._new >= 0
        hit = self._old[drawn & (self._new != self._old)]
        return sorted(int(i) for i in np.union1d(self._new[drawn], hit) if i > 0)

    def evidence(self, object_id: int) -> ObjectEvidence:
        """Run GrabCut for an object and return its mask with all else that is known of the object in this frame."""
        was = self._old == object_id
        drawn = self._every if was.any() else self._thick
        mine, others = drawn == object_id, (drawn >= 0) & (drawn != object_id)
        new = self._new >= 0
        wrong = Corrections(mine & new & ~was, others & new & was, mine, others)
        if was.any():
            cut, likely = correct_mask(self._picture, self._motion, was, wrong, self._seed), _as_drawn(was, wrong)
        else:
            seeds = Seeds(mine, others, np.zeros_like(was))
            cut, likely = cut_object(self._picture, self._motion, seeds, self._old > 0, self._seed)
        return ObjectEvidence(cut, likely, was, self._motion, mine, others, wrong.missed, wrong.extra)


def _motion(scaled_frames: ScaledFrames, frame: int, scaled: ScaledFrame) -> Motion | None:
    """Return the motion of a frame to an adjacent frame at the size of GrabCut; None in a video of one frame.

    `scaled` is the frame at that size.
    """
    if len(scaled_frames) == 1:
        return None
    neighbour = frame + 1 if frame + 1 < len(scaled_frames) else frame - 1
    return FlowEstimator().between(scaled.grey, smaller(scaled_frames[neighbour], SIDE).grey)


def _drawn(
    cut: dict[int, BinaryMask],
    finished: dict[int, FloatMap],
    before: LabelMap,
    old: LabelMap,
    scaled: ScaledFrame,
    sizes: Sizes,
) -> LabelMap:
    """Return the frame's mask `before` with the new masks of objects. Where no object changed, pixels keep their ids.

    Args:
        cut: the new mask of each object at the size of GrabCut.
        finished: for those objects that a refiner improved, the probability map at the reduced size `Sizes.grid`.
        before: the frame's mask before, [H, W] at the size of the video.
        old: the same mask at the size of GrabCut.
        scaled: the frame.
        sizes: the sizes of the video.
    """
    composition = Composition(sizes)
    changed = np.zeros(old.shape, np.uint8)
    for object_id, mask in cut.items():
        changed |= (mask != (old == object_id)).astype(np.uint8)
        on_grid = finished.get(object_id)
        if on_grid is None:
            on_grid = cv2.resize(mask.astype(np.float32), (sizes.grid[1], sizes.grid[0])).view(np.ndarray)
        composition.add(object_id, on_grid, scaled)
    fresh = composition.labels()
    wider = cv2.dilate(changed, np.ones((3, 3), np.uint8)).astype(np.uint8)
    region = resize_labels(wider, *sizes.video) > 0
    result = before.copy()
    # In the changed region, objects in `cut` get their new pixels. Other objects keep the pixels that are left to them.
    cut_before = np.isin(before, list(cut))
    result[region & cut_before] = 0
    take = region & (fresh > 0)
    result[take] = fresh[take]
    return result


def _probability_of(labels: LabelMap, before: LabelMap, finished: dict[int, FloatMap]) -> FloatMap:
    """Return the probability of the id of each pixel in `labels` [H, W], by the refined maps of the objects.

    The background is as probable where an object was `before` as it is improbable that the object still covers it. What
    no refined map tells is certain: it has the probability 1.
    """
    result = np.ones(labels.shape, np.float32)
    for object_id, on_grid in finished.items():
        gained, lost = (labels == object_id) & (before != object_id), (before == object_id) & (labels == 0)
        whole = cv2.resize(on_grid, labels.shape[::-1]).view(np.ndarray)
        result[gained], result[lost] = whole[gained], 1 - whole[lost]
    return result


def _change_over(labels: LabelMap, before: LabelMap, scribbles: Sequence[Scribble]) -> None:
    """Give the surroundings of each correcting scribble, as far as they certainly change, the scribble's object id.

    `labels` [H, W] is changed in place. `before` [H, W] is the mask that the scribbles correct.
    """
    for scribble in scribbles:
        right = before == scribble.object_id
        if right.any():
            line = rasterise([scribble], *labels.shape) != NO_SCRIBBLE
            labels[certain_region(line, right)] = scribble.object_id


def _as_drawn(was: BinaryMask, wrong: Corrections) -> FloatMap:
    """Return the object's mask `was` as 0 and 1, after changing the pixels that the correction certainly changes."""
    changed = was | certain_region(wrong.missed, was)
    changed &= ~(certain_region(wrong.extra, ~was) & ~wrong.mine)
    return changed.astype(np.float32)


def _under_strokes(labels: LabelMap, scribbles: Sequence[Scribble]) -> LabelMap:
    for scribble in scribbles:
        line = dilate(rasterise([scribble], *labels.shape), 1)
        labels[line != NO_SCRIBBLE] = scribble.object_id
    return labels


def _thick(scribbles: Sequence[Scribble], height: int, width: int, across: int) -> Raster:
    raster = np.full((height, width), NO_SCRIBBLE, np.int16)
    for scribble in scribbles:
        points = np.round(scribble.path * (width - 1, height - 1)).astype(np.int32).reshape(-1, 1, 2)
        points = points.repeat(2, axis=0) if len(points) == 1 else points  # OpenCV draws nothing for a single point.
        cv2.polylines(raster, [points], False, scribble.object_id, across)
    return raster
