"""One object on its way through the video: from the mask of a frame to the mask of the next one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from segmentation.engines.flow.appearance import (
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
from segmentation.engines.flow.fusion import fuse, signed_distance
from segmentation.engines.flow.motion import Camera, Motion
from segmentation.engines.flow.picture import Picture
from segmentation.engines.flow.smoothing import Guided
from segmentation.masks import Box, box_of

Map = NDArray[np.float32]  # [h, w] on the grid

REACH = 40  # grid pixels outside the carried mask where the object may still appear: a tenth of the width
SMOOTH_RADIUS, SMOOTH_EPSILON = 3, 1e-4
PLACES_KEEP = 0.8  # memory of `Places` a frame: it forgets half in three frames, as shapes change
TEXTURE_KEEP = 0.85  # memory of the texture as it was lately
REFRESH = 5  # frames between two weightings of the annotated frames: they hardly change from one to the next


def look_at(frame: int, picture: Picture, probability: Map) -> Look:
    """The fit of an object's models to one annotated frame."""
    weight = nearness(probability, 30)
    looks = lift(picture.looks)
    texture = Texture.fitted(looks, _halved(probability).ravel(), _halved(weight).ravel())
    return Look(frame, texture, palette(colour_index(picture.lab), probability, weight))


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
    _models: tuple[Texture, Cells] | None = None
    _age: int = 0

    def begin(self, picture: Picture) -> None:
        """Learn the place of everything in the frame where the track starts."""
        if self.around is None:
            index = place_index(picture.lab, Middle.of(self.probability))
            self.around = places(index, self.probability, np.ones_like(self.probability))

    def step(self, frame: int, picture: Picture, motion: Motion, camera: Camera | None, carried: Map) -> Map:
        """The object's probability in `frame`, given its mask carried there along the flow."""
        texture, colours = self._blended(frame)
        result = np.zeros_like(carried)
        box = box_of(carried > 0.5)
        if box is None:
            self.probability, self.agreement = result, 0.5
            return result
        # Even bounds, as the texture is looked up on half the grid.
        box = _even(box.grown(REACH, *carried.shape), carried.shape)
        view = box.slices
        evidence = self._evidence(picture, box, carried, texture, colours)
        evidence[signed_distance(carried[view] > 0.5) <= -REACH] = 0
        smooth = Guided.fitted(evidence, picture.grid[view], SMOOTH_RADIUS, SMOOTH_EPSILON)
        result[view] = smooth.drawn(picture.grid[view])
        self._learn(picture, result)
        self.agreement = _overlap(carried, result)
        self.probability = result
        return result

    def _evidence(self, picture: Picture, box: Box, carried: Map, texture: Texture, colours: Cells) -> Map:
        view = box.slices
        height, width = box.y1 - box.y0, box.x1 - box.x0
        looks = lift(picture.looks[_half_slices(box)])
        shape = picture.looks[_half_slices(box)].shape[:2]
        known = texture(looks).reshape(shape)
        lately = self.recent(looks).reshape(shape) if self.recent is not None else known
        both = cv2.resize((known + lately) / 2, (width, height)).view(np.ndarray)
        lab = picture.lab[view]
        assert self.around is not None, "begin() comes first"
        there = self.around(place_index(lab, Middle.of(carried), box.y0, box.x0))
        return fuse(carried[view], colours(colour_index(lab)), both, there)

    def _learn(self, picture: Picture, probability: Map) -> None:
        """Take what is certain about this frame into the memory of the last frames."""
        certain = np.abs(2 * probability - 1)
        if probability.max() <= 0.5 or self.around is None:
            return
        index = place_index(picture.lab, Middle.of(probability))
        self.around = self.around.plus(places(index, probability, certain), PLACES_KEEP)
        weight = nearness(probability, 30) * certain
        now = Texture.fitted(lift(picture.looks), _halved(probability).ravel(), _halved(weight).ravel())
        texture = self._models[0] if self._models else now
        self.recent = (self.recent or texture).plus(now, TEXTURE_KEEP)

    def _blended(self, frame: int) -> tuple[Texture, Cells]:
        if self._models is None or self._age >= REFRESH:
            self._models, self._age = blend(self.looks, frame), 0
        self._age += 1
        return self._models


def _overlap(a: Map, b: Map) -> float:
    """Soft intersection over union: how far flow and appearance agree."""
    union = float(np.maximum(a, b).sum())
    return float(np.minimum(a, b).sum()) / union if union > 0 else 0.5


def _halved(values: Map) -> Map:
    height, width = values.shape
    size = ((width + 1) // 2, (height + 1) // 2)
    return cv2.resize(values, size, interpolation=cv2.INTER_AREA).view(np.ndarray)


def _even(box: Box, shape: tuple[int, ...]) -> Box:
    y1, x1 = (min(end + end % 2, side) for end, side in zip((box.y1, box.x1), shape, strict=True))
    return Box(box.y0 - box.y0 % 2, box.x0 - box.x0 % 2, y1, x1)


def _half_slices(box: Box) -> tuple[slice, slice]:
    return slice(box.y0 // 2, (box.y1 + 1) // 2), slice(box.x0 // 2, (box.x1 + 1) // 2)
