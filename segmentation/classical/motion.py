"""Dense optical flow between neighbouring frames: what is carried along it, and what moves unlike the background."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

SMALLEST = 16  # DIS matches patches of 8 pixels over a pyramid: below twice that it fails
STRIDE = 2  # the camera's motion is smooth: every fourth pixel is enough to fit and to compare it
SAMPLES = 2000

Grey = NDArray[np.uint8]  # [h, w]
Map = NDArray[Any]  # float32 [h, w]
Field = NDArray[Any]  # float32 [h, w, 2]: x, y


@dataclass(frozen=True, eq=False)
class Motion:
    """From a frame back to the neighbour that is already labelled, on the grid."""

    back: Field  # where each pixel of this frame was, relative to itself
    trust: Map  # 0..1: 1 where going back and forth again leads to the same place

    @classmethod
    def of(cls, back: Field, forth: Field) -> Motion:
        """`back` from this frame to the neighbour, `forth` from there to here."""
        motion = cls(back, np.ones(back.shape[:2], np.float32))
        gap = back + np.dstack([motion.warp(forth[..., 0]), motion.warp(forth[..., 1])])
        length = np.hypot(back[..., 0], back[..., 1])
        miss = np.hypot(gap[..., 0], gap[..., 1]) / (1 + 0.1 * length)
        return cls(back, np.exp(-(miss**2)).astype(np.float32))

    @cached_property
    def source(self) -> tuple[Map, Map]:
        """x and y on the neighbour of each pixel of this frame."""
        height, width = self.trust.shape
        x = np.arange(width, dtype=np.float32)[None] + self.back[..., 0]
        y = np.arange(height, dtype=np.float32)[:, None] + self.back[..., 1]
        return x, y

    @cached_property
    def unseen(self) -> Map:
        """1 where the pixel was outside the neighbour's picture."""
        x, y = self.source
        height, width = self.trust.shape
        outside = ((x < -1) | (x > width) | (y < -1) | (y > height)).astype(np.float32)
        return cv2.blur(outside, (3, 3)).view(np.ndarray)

    def warp(self, values: Map) -> Map:
        """Values on the neighbour moved to this frame; beyond its edge lies the edge's value."""
        x, y = self.source
        return cv2.remap(values, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).view(np.ndarray)


class FlowEstimator:
    """Computes `Motion` by DIS (Kroeger et al., ECCV 2016)."""

    def __init__(self) -> None:
        self._dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)

    def between(self, scaled: Grey, neighbour: Grey) -> Motion:
        return Motion.of(self.flow(scaled, neighbour), self.flow(neighbour, scaled))

    def flow(self, scaled: Grey, neighbour: Grey) -> Field:
        """Where each pixel of `scaled` is on `neighbour`, relative to itself."""
        flow = np.zeros((*scaled.shape, 2), np.float32)
        if min(scaled.shape) < SMALLEST:
            return flow
        return self._dis.calc(scaled, neighbour, flow).view(np.ndarray)


@dataclass(frozen=True, eq=False)
class CameraMotion:
    """The background's motion as a smooth field, and how far single pixels stray from it (grid pixels)."""

    field: Field  # [h / STRIDE, w / STRIDE, 2]
    spread: float

    @classmethod
    def of(cls, motion: Motion, background: NDArray[np.bool_]) -> CameraMotion | None:
        """Fit to the pixels of `background` [h, w]; None where there are too few."""
        flow, mask = motion.back[::STRIDE, ::STRIDE], background[::STRIDE, ::STRIDE]
        chosen = np.flatnonzero(mask)
        if len(chosen) < 50:
            return None
        terms = _terms(*mask.shape)
        chosen = chosen[:: max(1, len(chosen) // SAMPLES)]
        factors, spread = _robust_fit(terms[chosen], flow.reshape(-1, 2)[chosen].astype(float))
        return cls((terms @ factors).reshape(flow.shape).astype(np.float32), spread)


def object_motion_score(motion: Motion, camera: CameraMotion | None, warped: Map) -> Map:
    """Above 0 where a pixel moves rather like the object than like the background, -5..5."""
    height, width = warped.shape
    inside = warped[::STRIDE, ::STRIDE] > 0.5
    if camera is None or np.count_nonzero(inside) < 20:
        return np.zeros((height, width), np.float32)
    flow = motion.back[::STRIDE, ::STRIDE]
    own = np.median(flow[inside], axis=0)
    spread = float(np.median(np.abs(flow[inside] - own).sum(axis=1)))
    ratio = _strayed(flow - camera.field, camera.spread) - _strayed(flow - own, spread)
    return cv2.resize(ratio.astype(np.float32), (width, height)).view(np.ndarray)


def _strayed(residual: Field, spread: float) -> Map:
    length: Map = np.hypot(residual[..., 0], residual[..., 1])
    return np.minimum(length / (spread + 0.3), 5)  # 0.3 px: what DIS cannot resolve


def _terms(height: int, width: int) -> NDArray[np.float64]:
    """The quadratic in x and y for every pixel [h * w, 6]: a plane that turns and comes nearer."""
    y, x = np.mgrid[0:height, 0:width]
    x, y = x.ravel() / width - 0.5, y.ravel() / height - 0.5
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=1)


def _robust_fit(terms: NDArray[np.float64], flow: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Least squares with Cauchy weights, reweighted six times. Returns factors [6, 2] and the median residual."""
    weight: NDArray[Any] = np.ones(len(terms))
    spread = 0.0
    factors = np.zeros((6, 2))
    for _ in range(6):
        weighted = terms * weight[:, None]
        factors = np.linalg.solve(terms.T @ weighted + 1e-5 * len(terms) * np.eye(6), weighted.T @ flow)
        residual = np.linalg.norm(flow - terms @ factors, axis=1)
        spread = float(np.median(residual)) + 0.05
        weight = 1 / (1 + (residual / (1.5 * spread)) ** 2)
    return factors, spread
