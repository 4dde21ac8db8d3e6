"""Propagates the mask of one object from frame to frame, by optical flow and appearance models."""

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
)
from segmentation.classical.confidence import LOST, estimate_j
from segmentation.classical.fusion import fuse, logit, signed_distance
from segmentation.classical.guided_filter import GuidedFilter
from segmentation.classical.motion import CameraMotion, Motion, object_motion_score
from segmentation.classical.pixel_features import random_features
from segmentation.classical.scaled_frames import ScaledFrame
from segmentation.masks import Box, box_of
from segmentation.types import FloatArray, FloatMap

REACH = 40  # Margin around the warped mask in which the object may appear, in pixels: about a tenth of the width.
SMOOTH_RADIUS, SMOOTH_EPSILON = 3, 1e-4
PLACES_KEEP = 0.8  # Share of the model of colour and place that is kept per frame; it forgets half in three frames.
TEXTURE_KEEP = 0.85  # Share of the recent texture model that is kept per frame.
REFRESH = 5  # Number of frames after which the models of the annotated frames are combined with new weights.


def fit_appearance(frame: int, scaled: ScaledFrame, probability: FloatMap) -> AppearanceSample:
    """Fit the appearance models of an object to an annotated frame and its probability map [h, w] there."""
    weight = nearness(probability, 30)
    features = random_features(scaled.pixel_features)
    texture = TextureModel.fitted(features, halved(probability).ravel(), halved(weight).ravel())
    return AppearanceSample(frame, texture, fit_colour_cells(colour_index(scaled.lab), probability, weight))


class Models(NamedTuple):
    texture: TextureModel
    palette: CellModel


@dataclass(frozen=True, eq=False)
class ObjectView:
    """The part of a frame in which an object may be, with the maps that tell where. All maps are cropped to `box`."""

    scaled: ScaledFrame
    box: Box
    warped: FloatMap  # the object's probability map of the previous frame, warped along the flow
    depth: FloatMap  # signed distance to the outline of `warped` in pixels, positive inside
    middle: ObjectExtent  # position and size of the object in `warped`
    trust: FloatMap  # see `Motion`
    unseen: FloatMap  # see `Motion`
    moves: FloatMap  # see `object_motion_score`
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
        # The bounds are even because the texture model is evaluated at half the size.
        box = even_box(around.grown(REACH, *warped.shape), warped.shape)
        cut = box.slices
        moves = object_motion_score(motion, camera, warped)[cut]
        depth = signed_distance(warped[cut] > 0.5)
        middle = ObjectExtent.of(warped)
        return cls(scaled, box, warped[cut], depth, middle, motion.trust[cut], motion.unseen[cut], moves, distance)

    @property
    def half(self) -> tuple[slice, slice]:
        """The rows and columns of `box` in `ScaledFrame.pixel_features`, whose height and width are half the grid's."""
        return on_half(self.box)

    def resized(self, values: FloatArray) -> FloatMap:
        """Resize the values of all pixels of the box at half the size, [n], to a map of the box, [h, w]."""
        height, width = self.warped.shape
        return cv2.resize(values.reshape((height + 1) // 2, (width + 1) // 2), (width, height)).view(np.ndarray)


@dataclass(eq=False)
class ObjectTracker:
    """Propagates one object in one direction. Each call of `step` computes its probability map in the next frame.

    The result depends only on the annotated frames and the mask in the first frame, never on earlier propagations.

    Attributes:
        samples: appearance models of the object in its annotated frames.
        probability: its probability map [h, w] in the newest frame; at first, in the frame where propagation starts.
        recent: texture model of the last frames.
        around: model of colour and place of the last frames.
        confidence: the estimated J of the newest map.
    """

    samples: Sequence[AppearanceSample]
    probability: FloatMap
    recent: TextureModel | None = None
    around: CellModel | None = None
    confidence: float = 1.0
    _blended: Models | None = None
    _blended_for: int = 0

    def begin(self, scaled: ScaledFrame) -> None:
        """Fit the model of colour and place to the frame `scaled`, in which the propagation starts."""
        if self.around is None:
            index = place_index(scaled.lab, ObjectExtent.of(self.probability))
            self.around = fit_place_cells(index, self.probability, np.ones_like(self.probability))

    def step(
        self, frame: int, scaled: ScaledFrame, motion: Motion, camera: CameraMotion | None, warped: FloatMap
    ) -> FloatMap:
        """Compute the probability map [h, w] of the object in the next frame, `frame`.

        `motion` is that to the previous frame, `camera` the motion of the background, and `warped` the object's map in
        the previous frame, warped along the flow.
        """
        result = np.zeros_like(warped)
        box = box_of(warped > 0.5)
        if box is None:
            self.probability, self.confidence = result, LOST
            return result
        view = ObjectView.of(scaled, motion, camera, warped, box, self._distance(frame))
        lifted = random_features(view.scaled.pixel_features[view.half])
        texture = view.resized(self._models(frame).texture(lifted))
        evidence = self._evidence(view, self._models(frame).palette, texture, lifted)
        evidence[view.depth <= -REACH] = 0
        colours = scaled.grid[view.box.slices]
        result[view.box.slices] = GuidedFilter.fitted(evidence, colours, SMOOTH_RADIUS, SMOOTH_EPSILON).drawn(colours)
        self._learn(frame, view, result, lifted)
        self.confidence = estimate_j(result[view.box.slices], texture, view.moves)
        self.probability = result
        return result

    def _evidence(self, view: ObjectView, palette: CellModel, texture: FloatMap, lifted: FloatArray) -> FloatMap:
        """Compute the object's probability map in `view.box` from all cues of `fusion.WEIGHTS`.

        `palette` is the colour model of the annotated frames, and `texture` the map of their texture model in the box.
        `lifted` are the random features [n, UNITS + 1] of the box at half the size.
        """
        recent = texture if self.recent is None else view.resized(self.recent(lifted))
        lab = view.scaled.lab[view.box.slices]
        colour = logit(palette(colour_index(lab)), 0.05)
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
                "texture": 2 * texture,
                "recent texture": 2 * recent,
                "motion": view.moves / np.float32(2),
                "motion around": motion_around / np.float32(2),
                "distance": min(view.distance, 20) / 10,
                "warped around": logit(cv2.blur(view.warped, (9, 9)).view(np.ndarray)),
                "unseen": 3 * view.unseen,
            }
        )

    def _learn(self, frame: int, view: ObjectView, probability: FloatMap, lifted: FloatArray) -> None:
        """Update the models of the last frames with this frame, whose probability map is `probability` [h, w].

        Pixels whose probability is near 0 or 1 have a higher weight.
        """
        if probability.max() <= 0.5 or self.around is None:
            return
        certain = np.abs(2 * probability - 1)
        index = place_index(view.scaled.lab, ObjectExtent.of(probability))
        self.around = self.around.plus(fit_place_cells(index, probability, certain), PLACES_KEEP)
        inside = probability[view.box.slices]
        weight = nearness(inside, 30) * certain[view.box.slices]
        labels, weights = halved(inside), halved(weight)
        # A quarter of the pixels suffices for the fit, which is the most expensive part of a step.
        rows = lifted.reshape(*labels.shape, -1)[::2, ::2].reshape(-1, lifted.shape[1])
        now = TextureModel.fitted(rows, labels[::2, ::2].ravel(), weights[::2, ::2].ravel())
        self.recent = (self.recent or self._models(frame).texture).plus(now, TEXTURE_KEEP)

    def _models(self, frame: int) -> Models:
        if self._blended is None or abs(frame - self._blended_for) >= REFRESH:
            self._blended, self._blended_for = Models(*blend(self.samples, frame)), frame
        return self._blended

    def _distance(self, frame: int) -> int:
        return min(abs(sample.frame - frame) for sample in self.samples)


def halved(values: FloatMap) -> FloatMap:
    """Resize a map [h, w] to half its size, rounded up, which is the size of `ScaledFrame.pixel_features`."""
    height, width = values.shape
    size = ((width + 1) // 2, (height + 1) // 2)
    return cv2.resize(values, size, interpolation=cv2.INTER_AREA).view(np.ndarray)


def on_half(box: Box) -> tuple[slice, slice]:
    """Return the rows and columns of a box at half the size. The box must have even bounds (see `even_box`)."""
    return slice(box.y0 // 2, (box.y1 + 1) // 2), slice(box.x0 // 2, (box.x1 + 1) // 2)


def even_box(box: Box, shape: tuple[int, ...]) -> Box:
    """Enlarge `box` to even bounds, so that it can be halved exactly.

    A bound stays odd only at the lower or right edge of an array of the size `shape`.
    """
    y1, x1 = (min(end + end % 2, side) for end, side in zip((box.y1, box.x1), shape, strict=True))
    return Box(box.y0 - box.y0 % 2, box.x0 - box.x0 % 2, y1, x1)
