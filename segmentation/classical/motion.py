"""Dense optical flow between neighbouring frames, warping along it, and motion that differs from the background's."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from segmentation.types import FloatMap, FlowField, GreyImage

SMALLEST = 16  # DIS matches patches of 8 pixels on a pyramid and fails on frames smaller than this.
STRIDE = 2  # The camera motion is smooth, so it is fitted and compared on every fourth pixel.
SAMPLES = 2000


@dataclass(frozen=True, eq=False)
class Motion:
    """The motion from a frame back to the neighbour that already has a mask, on the grid."""

    back: FlowField  # displacement of each pixel to its place in the neighbour
    trust: FloatMap  # 0..1; 1 where the flow back and forth ends at the same pixel

    @classmethod
    def of(cls, back: FlowField, forth: FlowField) -> Motion:
        """Make a motion from the flow `back` to the neighbour and the flow `forth` from there to this frame."""
        motion = cls(back, np.ones(back.shape[:2], np.float32))
        gap = back + np.dstack([motion.warp(forth[..., 0]), motion.warp(forth[..., 1])])
        length = np.hypot(back[..., 0], back[..., 1])
        miss = np.hypot(gap[..., 0], gap[..., 1]) / (1 + 0.1 * length)
        return cls(back, np.exp(-(miss**2)).astype(np.float32))

    @cached_property
    def source(self) -> tuple[FloatMap, FloatMap]:
        """The coordinates x and y in the neighbour, for each pixel of this frame."""
        height, width = self.trust.shape
        x = np.arange(width, dtype=np.float32)[None] + self.back[..., 0]
        y = np.arange(height, dtype=np.float32)[:, None] + self.back[..., 1]
        return x, y

    @cached_property
    def unseen(self) -> FloatMap:
        """1 where the pixel was outside the neighbouring frame, else 0."""
        x, y = self.source
        height, width = self.trust.shape
        outside = ((x < -1) | (x > width) | (y < -1) | (y > height)).astype(np.float32)
        return cv2.blur(outside, (3, 3)).view(np.ndarray)

    def warp(self, values: FloatMap) -> FloatMap:
        """Warp values from the neighbour to this frame. Outside the neighbour, the value at its edge is used."""
        x, y = self.source
        return cv2.remap(values, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).view(np.ndarray)


class FlowEstimator:
    """Computes `Motion` by DIS (Kroeger et al., ECCV 2016)."""

    def __init__(self) -> None:
        self._dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)

    def between(self, scaled: GreyImage, neighbour: GreyImage) -> Motion:
        return Motion.of(self.flow(scaled, neighbour), self.flow(neighbour, scaled))

    def flow(self, scaled: GreyImage, neighbour: GreyImage) -> FlowField:
        """Return the displacement of each pixel of `scaled` to its place in `neighbour`."""
        flow = np.zeros((*scaled.shape, 2), np.float32)
        if min(scaled.shape) < SMALLEST:
            return flow
        return self._dis.calc(scaled, neighbour, flow).view(np.ndarray)


@dataclass(frozen=True, eq=False)
class CameraMotion:
    """The motion of the background as a smooth field, and the typical deviation of pixels from it, in grid pixels."""

    field: FlowField  # [h / STRIDE, w / STRIDE, 2]
    spread: float

    @classmethod
    def of(cls, motion: Motion, background: NDArray[np.bool_]) -> CameraMotion | None:
        """Fit the motion to the pixels of `background` [h, w]. Return None if there are too few."""
        flow, mask = motion.back[::STRIDE, ::STRIDE], background[::STRIDE, ::STRIDE]
        chosen = np.flatnonzero(mask)
        if len(chosen) < 50:
            return None
        terms = _terms(*mask.shape)
        chosen = chosen[:: max(1, len(chosen) // SAMPLES)]
        factors, spread = _robust_fit(terms[chosen], flow.reshape(-1, 2)[chosen].astype(float))
        return cls((terms @ factors).reshape(flow.shape).astype(np.float32), spread)


def object_motion_score(motion: Motion, camera: CameraMotion | None, warped: FloatMap) -> FloatMap:
    """Return a score -5..5, above 0 where a pixel moves more like the object than like the background."""
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
    """Return the terms of a quadratic in x and y for every pixel, [h * w, 6]: the motion of a plane."""
    y, x = np.mgrid[0:height, 0:width]
    x, y = x.ravel() / width - 0.5, y.ravel() / height - 0.5
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=1)


def _robust_fit(terms: NDArray[np.float64], flow: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Fit by least squares, reweighted six times with Cauchy weights. Return factors [6, 2] and the median residual."""
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
