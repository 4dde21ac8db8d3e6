"""Propagates the mask of one object from frame to frame, by flow and models of appearance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from segmentation.classical.appearance import (
    AppearanceSample,
    CellModel,
    ObjectExtent,
    TextureModel,
    blend,
    colour_index,
    fit_colour_cells,
    fit_place_cells,
    nearness,
    place_index,
    random_features,
)
from segmentation.classical.fusion import fuse, logit, signed_distance
from segmentation.classical.guided_filter import GuidedFilter
from segmentation.classical.motion import CameraMotion, Motion, object_motion_score
from segmentation.classical.scaled_frames import ScaledFrame
from segmentation.masks import Box, box_of
from segmentation.types import FloatArray, FloatMap

REACH = 40  # Grid pixels around the warped mask in which the object may appear: a tenth of the width.
SMOOTH_RADIUS, SMOOTH_EPSILON = 3, 1e-4
PLACES_KEEP = 0.8  # share of the place model that is kept per frame; it forgets half in three frames
TEXTURE_KEEP = 0.85  # share of the recent texture model that is kept per frame
REFRESH = 5  # The annotated frames are weighted anew every few frames.


def fit_appearance(frame: int, scaled: ScaledFrame, probability: FloatMap) -> AppearanceSample:
    """Fit the appearance models of an object to one annotated frame."""
    weight = nearness(probability, 30)
    features = random_features(scaled.pixel_features)
    texture = TextureModel.fitted(features, halved(probability).ravel(), halved(weight).ravel())
    return AppearanceSample(frame, texture, fit_colour_cells(colour_index(scaled.lab), probability, weight))


class Models(NamedTuple):
    texture: TextureModel
    palette: CellModel


@dataclass(frozen=True, eq=False)
class ObjectView:
    """The part of a frame in which one object may be. All maps are cropped to `box`."""

    scaled: ScaledFrame
    box: Box
    warped: FloatMap  # warped probability map
    depth: FloatMap  # signed distance to the warped outline, in grid pixels
    middle: ObjectExtent
    trust: FloatMap
    unseen: FloatMap
    moves: FloatMap
    distance: int  # frames to the nearest annotated frame

    @classmethod
    def of(
        cls,
        scaled: ScaledFrame,
        motion: Motion,
        camera: CameraMotion | None,
        warped: FloatMap,
        around: Box,
        distance: int,
    ) -> ObjectView:
        # Bounds are even because the texture is evaluated at half the size of the grid.
        box = even_box(around.grown(REACH, *warped.shape), warped.shape)
        cut = box.slices
        moves = object_motion_score(motion, camera, warped)[cut]
        depth = signed_distance(warped[cut] > 0.5)
        middle = ObjectExtent.of(warped)
        return cls(scaled, box, warped[cut], depth, middle, motion.trust[cut], motion.unseen[cut], moves, distance)

    @property
    def half(self) -> tuple[slice, slice]:
        """The box at the size of `ScaledFrame.pixel_features`."""
        return on_half(self.box)


@dataclass(eq=False)
class ObjectTracker:
    """Propagates one object in one direction. `step` moves on by one frame.

    The result depends only on the annotated frames and the first mask, never on earlier propagations.
    """

    samples: Sequence[AppearanceSample]
    probability: FloatMap
    recent: TextureModel | None = None
    around: CellModel | None = None
    agreement: float = 1.0
    _blended: Models | None = None
    _blended_for: int = 0

    def begin(self, scaled: ScaledFrame) -> None:
        """Fit the place model to the frame in which the propagation starts."""
        if self.around is None:
            index = place_index(scaled.lab, ObjectExtent.of(self.probability))
            self.around = fit_place_cells(index, self.probability, np.ones_like(self.probability))

    def step(
        self, frame: int, scaled: ScaledFrame, motion: Motion, camera: CameraMotion | None, warped: FloatMap
    ) -> FloatMap:
        """Compute the probability map of the object in `frame`. `warped` is its previous map, warped along the flow."""
        result = np.zeros_like(warped)
        box = box_of(warped > 0.5)
        if box is None:
            self.probability, self.agreement = result, 0.5
            return result
        view = ObjectView.of(scaled, motion, camera, warped, box, self._distance(frame))
        lifted = random_features(view.scaled.pixel_features[view.half])
        evidence = self._evidence(view, self._models(frame), lifted)
        evidence[view.depth <= -REACH] = 0
        colours = scaled.grid[view.box.slices]
        result[view.box.slices] = GuidedFilter.fitted(evidence, colours, SMOOTH_RADIUS, SMOOTH_EPSILON).drawn(colours)
        self._learn(frame, view, result, lifted)
        self.agreement = _overlap(warped, result)
        self.probability = result
        return result

    def _evidence(self, view: ObjectView, models: Models, lifted: FloatArray) -> FloatMap:
        """Compute the probability map in the view from all cues. `lifted` are its random features, [n, UNITS + 1]."""
        height, width = view.warped.shape

        def full(values: FloatArray) -> FloatMap:
            return cv2.resize(values.reshape((height + 1) // 2, (width + 1) // 2), (width, height)).view(np.ndarray)

        known = full(models.texture(lifted))
        recent = known if self.recent is None else full(self.recent(lifted))
        lab = view.scaled.lab[view.box.slices]
        colour = logit(models.palette(colour_index(lab)), 0.05)
        assert self.around is not None, "begin() comes first"
        there = self.around(place_index(lab, view.middle, view.box.y0, view.box.x0))
        warped = logit(view.warped)
        motion_around: FloatMap = cv2.blur(view.moves, (9, 9)).view(np.ndarray)
        return fuse(
            {
                "warped": warped,
                "trust": 2 * view.trust - 1,
                "warped where trusted": warped * view.trust,
                "depth": np.clip(view.depth / 8, -3, 3),
                "relative depth": np.clip(view.depth / view.middle.size * 4, -4, 4),
                "outline": np.exp(-np.abs(view.depth) / 3),
                "palette": colour,
                "palette around": cv2.blur(colour, (7, 7)).view(np.ndarray),
                "places": logit(there, 0.05),
                "texture": 2 * known,
                "recent texture": 2 * recent,
                "motion": view.moves / np.float32(2),
                "motion around": motion_around / np.float32(2),
                "distance": min(view.distance, 20) / 10,
                "warped around": logit(cv2.blur(view.warped, (9, 9)).view(np.ndarray)),
                "unseen": 3 * view.unseen,
            }
        )

    def _learn(self, frame: int, view: ObjectView, probability: FloatMap, lifted: FloatArray) -> None:
        """Update the models of recent frames with the pixels of this frame that are certain."""
        if probability.max() <= 0.5 or self.around is None:
            return
        certain = np.abs(2 * probability - 1)
        index = place_index(view.scaled.lab, ObjectExtent.of(probability))
        self.around = self.around.plus(fit_place_cells(index, probability, certain), PLACES_KEEP)
        inside = probability[view.box.slices]
        weight = nearness(inside, 30) * certain[view.box.slices]
        labels, weights = halved(inside), halved(weight)
        # A quarter of the pixels suffices for the fit; its sums are the most expensive part of a step.
        rows = lifted.reshape(*labels.shape, -1)[::2, ::2].reshape(-1, lifted.shape[1])
        now = TextureModel.fitted(rows, labels[::2, ::2].ravel(), weights[::2, ::2].ravel())
        self.recent = (self.recent or self._models(frame).texture).plus(now, TEXTURE_KEEP)

    def _models(self, frame: int) -> Models:
        if self._blended is None or abs(frame - self._blended_for) >= REFRESH:
            self._blended, self._blended_for = Models(*blend(self.samples, frame)), frame
        return self._blended

    def _distance(self, frame: int) -> int:
        return min(abs(sample.frame - frame) for sample in self.samples)


def _overlap(a: FloatMap, b: FloatMap) -> float:
    """Return the soft intersection over union of two probability maps."""
    union = float(np.maximum(a, b).sum())
    return float(np.minimum(a, b).sum()) / union if union > 0 else 0.5


def halved(values: FloatMap) -> FloatMap:
    """Resize values from the grid to half of it, the size of `ScaledFrame.pixel_features`."""
    height, width = values.shape
    size = ((width + 1) // 2, (height + 1) // 2)
    return cv2.resize(values, size, interpolation=cv2.INTER_AREA).view(np.ndarray)


def on_half(box: Box) -> tuple[slice, slice]:
    """Return the slices of a box with even bounds (`even_box`) at half the size of the grid."""
    return slice(box.y0 // 2, (box.y1 + 1) // 2), slice(box.x0 // 2, (box.x1 + 1) // 2)


def even_box(box: Box, shape: tuple[int, ...]) -> Box:
    """Enlarge `box` to even bounds, so that it fits half the grid too.

    Only a bound at the end of `shape` may be odd.
    """
    y1, x1 = (min(end + end % 2, side) for end, side in zip((box.y1, box.x1), shape, strict=True))
    return Box(box.y0 - box.y0 % 2, box.x0 - box.x0 % 2, y1, x1)
