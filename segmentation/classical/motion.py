"""Dense optical flow between adjacent frames, warping along it, the camera's motion, and a score that tells where
pixels move more like an object than like the background.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from segmentation.types import FloatMap, FlowField, GreyImage

SMALLEST = 16  # DIS matches patches of 8 pixels on a pyramid and fails on frames with a shorter side than this.
STRIDE = 2  # The camera motion is smooth, so every second row and column suffice to fit and compare it.
SAMPLES = 2000  # About the number of pixels to which the camera motion is fitted.


@dataclass(frozen=True, eq=False)
class Motion:
    """The motion from a frame back to an adjacent frame, which usually has a mask already. All maps are [h, w]."""

    back: FlowField  # [h, w, 2]: displacement in pixels of each pixel to its place in the adjacent frame
    trust: FloatMap  # 0..1; 1 where the flow to the adjacent frame and back ends at the pixel where it began

    @classmethod
    def of(cls, back: FlowField, forth: FlowField) -> Motion:
        """Make a motion from the flow `back` to the adjacent frame and the flow `forth` from there to this frame."""
        motion = cls(back, np.ones(back.shape[:2], np.float32))
        gap = back + np.dstack([motion.warp(forth[..., 0]), motion.warp(forth[..., 1])])
        length = np.hypot(back[..., 0], back[..., 1])
        miss = np.hypot(gap[..., 0], gap[..., 1]) / (1 + 0.1 * length)
        return cls(back, np.exp(-(miss**2)).astype(np.float32))

    @cached_property
    def source(self) -> tuple[FloatMap, FloatMap]:
        """For each pixel of this frame, the coordinates x and y of its place in the adjacent frame."""
        height, width = self.trust.shape
        x = np.arange(width, dtype=np.float32)[None] + self.back[..., 0]
        y = np.arange(height, dtype=np.float32)[:, None] + self.back[..., 1]
        return x, y

    @cached_property
    def unseen(self) -> FloatMap:
        """A map [h, w], slightly blurred: 1 where a pixel's place is outside the adjacent frame, 0 elsewhere."""
        x, y = self.source
        height, width = self.trust.shape
        outside = ((x < -1) | (x > width) | (y < -1) | (y > height)).astype(np.float32)
        return cv2.blur(outside, (3, 3)).view(np.ndarray)

    def warp(self, values: FloatMap) -> FloatMap:
        """Warp a map [h, w] of the adjacent frame to this frame.

        Pixels whose place is outside the adjacent frame get the value at its nearest edge.
        """
        x, y = self.source
        return cv2.remap(values, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).view(np.ndarray)


class FlowEstimator:
    """Computes optical flow by DIS (dense inverse search, Kroeger et al., ECCV 2016)."""

    def __init__(self) -> None:
        self._dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)

    def between(self, scaled: GreyImage, neighbour: GreyImage) -> Motion:
        return Motion.of(self.flow(scaled, neighbour), self.flow(neighbour, scaled))

    def flow(self, scaled: GreyImage, neighbour: GreyImage) -> FlowField:
        """Return the displacement [h, w, 2] in pixels of each pixel of `scaled` to its place in `neighbour`."""
        flow = np.zeros((*scaled.shape, 2), np.float32)
        if min(scaled.shape) < SMALLEST:
            return flow
        return self._dis.calc(scaled, neighbour, flow).view(np.ndarray)


@dataclass(frozen=True, eq=False)
class CameraMotion:
    """The motion of the background, which the camera causes, as a smooth field.

    `spread` is the median deviation of background pixels from it plus 0.05, in pixels.
    """

    field: FlowField  # [h / STRIDE, w / STRIDE, 2], in pixels
    spread: float

    @classmethod
    def of(cls, motion: Motion, background: NDArray[np.bool_]) -> CameraMotion | None:
        """Fit a quadratic in x and y to `motion` at the pixels of `background` [h, w]. None if these are too few."""
        flow, mask = motion.back[::STRIDE, ::STRIDE], background[::STRIDE, ::STRIDE]
        chosen = np.flatnonzero(mask)
        if len(chosen) < 50:
            return None
        terms = _terms(*mask.shape)
        chosen = chosen[:: max(1, len(chosen) // SAMPLES)]
        factors, spread = _robust_fit(terms[chosen], flow.reshape(-1, 2)[chosen].astype(float))
        return cls((terms @ factors).reshape(flow.shape).astype(np.float32), spread)


def object_motion_score(motion: Motion, camera: CameraMotion | None, warped: FloatMap) -> FloatMap:
    """Return a score [h, w], -5..5, above 0 where a pixel moves more like the object than like the background.

    `warped` is the object's probability map [h, w]. `camera` is the background's motion. The score is 0 everywhere if
    `camera` is None or the object is too small to measure its motion.
    """
    height, width = warped.shape
    inside = warped[::STRIDE, ::STRIDE] > 0.5
    if camera is None or np.count_nonzero(inside) < 20:
        return np.zeros((height, width), np.float32)
    flow = motion.back[::STRIDE, ::STRIDE]
    own = np.median(flow[inside], axis=0)
    spread = float(np.median(np.abs(flow[inside] - own).sum(axis=1)))
    ratio = _strayed(flow - camera.field, camera.spread) - _strayed(flow - own, spread)
    return cv2.resize(ratio.astype(np.float32), (width, height)).view(np.ndarray)


def _strayed(residual: FlowField, spread: float) -> FloatMap:
    length: FloatMap = np.hypot(residual[..., 0], residual[..., 1])
    return np.minimum(length / (spread + 0.3), 5)  # DIS does not resolve less than 0.3 px.


def _terms(height: int, width: int) -> NDArray[np.float64]:
    """Return the terms 1, x, y, x^2, xy, y^2 for every pixel, [h * w, 6], with x and y -0.5..0.5.

    A plane that the camera sees moves by a quadratic function of x and y.
    """
    y, x = np.mgrid[0:height, 0:width]
    x, y = x.ravel() / width - 0.5, y.ravel() / height - 0.5
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=1)


def _robust_fit(terms: NDArray[np.float64], flow: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Fit flow [n, 2] as a linear function of `terms` [n, 6] by least squares, with Cauchy weights in six iterations.

    Return the factors [6, 2] and the median residual plus 0.05, in pixels.
    """
    weight: NDArray[np.floating[Any]] = np.ones(len(terms))
    spread = 0.0
    factors: NDArray[Any] = np.zeros((6, 2))
    for _ in range(6):
        weighted = terms * weight[:, None]
        factors = np.linalg.solve(terms.T @ weighted + 1e-5 * len(terms) * np.eye(6), weighted.T @ flow)
        residual = np.linalg.norm(flow - terms @ factors, axis=1)
        spread = float(np.median(residual)) + 0.05
        weight = 1 / (1 + (residual / (1.5 * spread)) ** 2)
    return factors, spread
