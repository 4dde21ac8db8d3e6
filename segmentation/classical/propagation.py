"""One object on its way through the video: from the mask of a frame to the mask of the next one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from segmentation.classical.appearance import (
    Cells,
    Look,
    Middle,
    Texture,
    blend,
    colour_index,
    lift,
    nearness,
    palette,
    place_index,
    places,
)
from segmentation.classical.fusion import fuse, logit, signed_distance
from segmentation.classical.motion import Camera, Motion, unlike_background
from segmentation.classical.picture import Picture
from segmentation.classical.smoothing import Guided
from segmentation.masks import Box, box_of

Map = NDArray[Any]  # float32 [h, w]

REACH = 40  # grid pixels outside the carried mask where the object may still appear: a tenth of the width
SMOOTH_RADIUS, SMOOTH_EPSILON = 3, 1e-4
PLACES_KEEP = 0.8  # memory of `Places` a frame: it forgets half in three frames, as shapes change
TEXTURE_KEEP = 0.85  # memory of the texture as it was lately
REFRESH = 5  # frames between two weightings of the annotated frames: they hardly change from one to the next


def look_at(frame: int, picture: Picture, probability: Map) -> Look:
    """The fit of an object's models to one annotated frame."""
    weight = nearness(probability, 30)
    looks = lift(picture.looks)
    texture = Texture.fitted(looks, halved(probability).ravel(), halved(weight).ravel())
    return Look(frame, texture, palette(colour_index(picture.lab), probability, weight))


class Models(NamedTuple):
    texture: Texture
    palette: Cells


@dataclass(frozen=True)
class View:
    """What there is to see of one object in the part of a frame where it may be; all maps are cut to `box`."""

    picture: Picture
    box: Box
    carried: Map  # probability carried along the flow
    depth: Map  # signed distance to the carried outline, grid pixels
    middle: Middle
    trust: Map
    unseen: Map
    moves: Map
    distance: int  # frames to the nearest annotated one

    @classmethod
    def of(
        cls, picture: Picture, motion: Motion, camera: Camera | None, carried: Map, around: Box, distance: int
    ) -> View:
        # Even bounds, as the texture is looked up on half the grid.
        box = even_box(around.grown(REACH, *carried.shape), carried.shape)
        cut = box.slices
        moves = unlike_background(motion, camera, carried)[cut]
        depth = signed_distance(carried[cut] > 0.5)
        middle = Middle.of(carried)
        return cls(picture, box, carried[cut], depth, middle, motion.trust[cut], motion.unseen[cut], moves, distance)

    @property
    def half(self) -> tuple[slice, slice]:
        """The box on `Picture.looks`."""
        return on_half(self.box)


@dataclass
class Track:
    """The frontier of one object in one direction. `step` moves it by one frame.

    Its result follows from the annotated frames and the mask it started with alone, never from an earlier track.
    """

    looks: Sequence[Look]
    probability: Map
    recent: Texture | None = None
    around: Cells | None = None
    agreement: float = 1.0
    _blended: Models | None = None
    _blended_for: int = 0

    def begin(self, picture: Picture) -> None:
        """Learn the place of everything in the frame where the track starts."""
        if self.around is None:
            index = place_index(picture.lab, Middle.of(self.probability))
            self.around = places(index, self.probability, np.ones_like(self.probability))

    def step(self, frame: int, picture: Picture, motion: Motion, camera: Camera | None, carried: Map) -> Map:
        """The object's probability in `frame`, given its mask carried there along the flow."""
        result = np.zeros_like(carried)
        box = box_of(carried > 0.5)
        if box is None:
            self.probability, self.agreement = result, 0.5
            return result
        view = View.of(picture, motion, camera, carried, box, self._distance(frame))
        lifted = lift(view.picture.looks[view.half])
        evidence = self._evidence(view, self._models(frame), lifted)
        evidence[view.depth <= -REACH] = 0
        colours = picture.grid[view.box.slices]
        result[view.box.slices] = Guided.fitted(evidence, colours, SMOOTH_RADIUS, SMOOTH_EPSILON).drawn(colours)
        self._learn(frame, view, result, lifted)
        self.agreement = _overlap(carried, result)
        self.probability = result
        return result

    def _evidence(self, view: View, models: Models, lifted: NDArray[Any]) -> Map:
        """Probability in the view, by all cues there are. `lifted` are its looks on half the grid [n, UNITS + 1]."""
        height, width = view.carried.shape

        def full(values: NDArray[Any]) -> Map:
            return cv2.resize(values.reshape((height + 1) // 2, (width + 1) // 2), (width, height)).view(np.ndarray)

        known = full(models.texture(lifted))
        recent = known if self.recent is None else full(self.recent(lifted))
        lab = view.picture.lab[view.box.slices]
        colour = logit(models.palette(colour_index(lab)), 0.05)
        assert self.around is not None, "begin() comes first"
        there = self.around(place_index(lab, view.middle, view.box.y0, view.box.x0))
        carried = logit(view.carried)
        return fuse(
            {
                "carried": carried,
                "trust": 2 * view.trust - 1,
                "carried where trusted": carried * view.trust,
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
                "carried around": logit(cv2.blur(view.carried, (9, 9))),
                "unseen": 3 * view.unseen,
            }
        )

    def _learn(self, frame: int, view: View, probability: Map, lifted: NDArray[Any]) -> None:
        """Take what is certain about this frame into the memory of the last frames."""
        if probability.max() <= 0.5 or self.around is None:
            return
        certain = np.abs(2 * probability - 1)
        index = place_index(view.picture.lab, Middle.of(probability))
        self.around = self.around.plus(places(index, probability, certain), PLACES_KEEP)
        inside = probability[view.box.slices]
        weight = nearness(inside, 30) * certain[view.box.slices]
        labels, weights = halved(inside), halved(weight)
        # A quarter of the pixels is still many times the unknowns, and the sums are what a step spends most on.
        rows = lifted.reshape(*labels.shape, -1)[::2, ::2].reshape(-1, lifted.shape[1])
        now = Texture.fitted(rows, labels[::2, ::2].ravel(), weights[::2, ::2].ravel())
        self.recent = (self.recent or self._models(frame).texture).plus(now, TEXTURE_KEEP)

    def _models(self, frame: int) -> Models:
        if self._blended is None or abs(frame - self._blended_for) >= REFRESH:
            self._blended, self._blended_for = Models(*blend(self.looks, frame)), frame
        return self._blended

    def _distance(self, frame: int) -> int:
        return min(abs(look.frame - frame) for look in self.looks)


def _overlap(a: Map, b: Map) -> float:
    """Soft intersection over union: how far flow and appearance agree."""
    union = float(np.maximum(a, b).sum())
    return float(np.minimum(a, b).sum()) / union if union > 0 else 0.5


def halved(values: Map) -> Map:
    """Values on the grid, on half of it, where `Picture.looks` are."""
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
