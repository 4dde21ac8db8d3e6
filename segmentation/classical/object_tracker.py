"""One object on its way through the video: from the mask of a frame to the mask of the next one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

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

Map = NDArray[Any]  # float32 [h, w]

REACH = 40  # grid pixels outside the carried mask where the object may still appear: a tenth of the width
SMOOTH_RADIUS, SMOOTH_EPSILON = 3, 1e-4
PLACES_KEEP = 0.8  # memory of `Places` a frame: it forgets half in three frames, as shapes change
TEXTURE_KEEP = 0.85  # memory of the texture as it was lately
REFRESH = 5  # frames between two weightings of the annotated frames: they hardly change from one to the next


def fit_appearance(frame: int, scaled: ScaledFrame, probability: Map) -> AppearanceSample:
    """The fit of an object's models to one annotated frame."""
    weight = nearness(probability, 30)
    features = random_features(scaled.pixel_features)
    texture = TextureModel.fitted(features, halved(probability).ravel(), halved(weight).ravel())
    return AppearanceSample(frame, texture, fit_colour_cells(colour_index(scaled.lab), probability, weight))


class Models(NamedTuple):
    texture: TextureModel
    palette: CellModel


@dataclass(frozen=True, eq=False)
class ObjectView:
    """What there is to see of one object in the part of a frame where it may be; all maps are cut to `box`."""

    scaled: ScaledFrame
    box: Box
    warped: Map  # probability carried along the flow
    depth: Map  # signed distance to the carried outline, grid pixels
    middle: ObjectExtent
    trust: Map
    unseen: Map
    moves: Map
    distance: int  # frames to the nearest annotated one

    @classmethod
    def of(
        cls, scaled: ScaledFrame, motion: Motion, camera: CameraMotion | None, warped: Map, around: Box, distance: int
    ) -> ObjectView:
        # Even bounds, as the texture is looked up on half the grid.
        box = even_box(around.grown(REACH, *warped.shape), warped.shape)
        cut = box.slices
        moves = object_motion_score(motion, camera, warped)[cut]
        depth = signed_distance(warped[cut] > 0.5)
        middle = ObjectExtent.of(warped)
        return cls(scaled, box, warped[cut], depth, middle, motion.trust[cut], motion.unseen[cut], moves, distance)

    @property
    def half(self) -> tuple[slice, slice]:
        """The box on `ScaledFrame.pixel_features`."""
        return on_half(self.box)


@dataclass(eq=False)
class ObjectTracker:
    """The frontier of one object in one direction. `step` moves it by one frame.

    Its result follows from the annotated frames and the mask it started with alone, never from an earlier track.
    """

    samples: Sequence[AppearanceSample]
    probability: Map
    recent: TextureModel | None = None
    around: CellModel | None = None
    agreement: float = 1.0
    _blended: Models | None = None
    _blended_for: int = 0

    def begin(self, scaled: ScaledFrame) -> None:
        """Learn the place of everything in the frame where the track starts."""
        if self.around is None:
            index = place_index(scaled.lab, ObjectExtent.of(self.probability))
            self.around = fit_place_cells(index, self.probability, np.ones_like(self.probability))

    def step(self, frame: int, scaled: ScaledFrame, motion: Motion, camera: CameraMotion | None, warped: Map) -> Map:
        """The object's probability in `frame`, given its mask carried there along the flow."""
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

    def _evidence(self, view: ObjectView, models: Models, lifted: NDArray[Any]) -> Map:
        """Probability in the view, by all cues there are. `lifted` are its looks on half the grid [n, UNITS + 1]."""
        height, width = view.warped.shape

        def full(values: NDArray[Any]) -> Map:
            return cv2.resize(values.reshape((height + 1) // 2, (width + 1) // 2), (width, height)).view(np.ndarray)

        known = full(models.texture(lifted))
        recent = known if self.recent is None else full(self.recent(lifted))
        lab = view.scaled.lab[view.box.slices]
        colour = logit(models.palette(colour_index(lab)), 0.05)
        assert self.around is not None, "begin() comes first"
        there = self.around(place_index(lab, view.middle, view.box.y0, view.box.x0))
        warped = logit(view.warped)
        return fuse(
            {
                "warped": warped,
                "trust": 2 * view.trust - 1,
                "warped where trusted": warped * view.trust,
                "depth": np.clip(view.depth / 8, -3, 3),
                "relative depth": np.clip(view.depth / view.middle.size * 4, -4, 4),
                "outline": np.exp(-np.abs(view.depth) / 3),
                "palette": colour,
                "palette around": cv2.blur(colour, (7, 7)),
                "places": logit(there, 0.05),
                "texture": 2 * known,
                "recent texture": 2 * recent,
                "motion": view.moves / 2,
                "motion around": cv2.blur(view.moves, (9, 9)) / 2,
                "distance": min(view.distance, 20) / 10,
                "warped around": logit(cv2.blur(view.warped, (9, 9))),
                "unseen": 3 * view.unseen,
            }
        )

    def _learn(self, frame: int, view: ObjectView, probability: Map, lifted: NDArray[Any]) -> None:
        """Take what is certain about this frame into the memory of the last frames."""
        if probability.max() <= 0.5 or self.around is None:
            return
        certain = np.abs(2 * probability - 1)
        index = place_index(view.scaled.lab, ObjectExtent.of(probability))
        self.around = self.around.plus(fit_place_cells(index, probability, certain), PLACES_KEEP)
        inside = probability[view.box.slices]
        weight = nearness(inside, 30) * certain[view.box.slices]
        labels, weights = halved(inside), halved(weight)
        # A quarter of the pixels is still many times the unknowns, and the sums are what a step spends most on.
        rows = lifted.reshape(*labels.shape, -1)[::2, ::2].reshape(-1, lifted.shape[1])
        now = TextureModel.fitted(rows, labels[::2, ::2].ravel(), weights[::2, ::2].ravel())
        self.recent = (self.recent or self._models(frame).texture).plus(now, TEXTURE_KEEP)

    def _models(self, frame: int) -> Models:
        if self._blended is None or abs(frame - self._blended_for) >= REFRESH:
            self._blended, self._blended_for = Models(*blend(self.samples, frame)), frame
        return self._blended

    def _distance(self, frame: int) -> int:
        return min(abs(sample.frame - frame) for sample in self.samples)


def _overlap(a: Map, b: Map) -> float:
    """Soft intersection over union: how far flow and appearance agree."""
    union = float(np.maximum(a, b).sum())
    return float(np.minimum(a, b).sum()) / union if union > 0 else 0.5


def halved(values: Map) -> Map:
    """Values on the grid, on half of it, where `ScaledFrame.pixel_features` are."""
    height, width = values.shape
    size = ((width + 1) // 2, (height + 1) // 2)
    return cv2.resize(values, size, interpolation=cv2.INTER_AREA).view(np.ndarray)


def on_half(box: Box) -> tuple[slice, slice]:
    """A box of the grid with even bounds (`even_box`) on half of it."""
    return slice(box.y0 // 2, (box.y1 + 1) // 2), slice(box.x0 // 2, (box.x1 + 1) // 2)


def even_box(box: Box, shape: tuple[int, ...]) -> Box:
    """`box` with bounds that are bounds on half the grid too; only the end of `shape` may be odd."""
    y1, x1 = (min(end + end % 2, side) for end, side in zip((box.y1, box.x1), shape, strict=True))
    return Box(box.y0 - box.y0 % 2, box.x0 - box.x0 % 2, y1, x1)
