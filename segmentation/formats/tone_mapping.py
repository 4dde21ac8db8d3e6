"""Converts frames of HDR video (PQ and HLG) to the standard range that the page and the engines work in.

Sources: SMPTE ST 2084 (PQ), ITU-R BT.2100 (HLG), BT.2408 (reference white), BT.2087 (BT.2020 to BT.709).
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from segmentation.types import Image

PQ, HLG = 16, 18  # AVCOL_TRC_SMPTE2084, AVCOL_TRC_ARIB_STD_B67
HDR_TRANSFERS = {PQ: "PQ", HLG: "HLG"}
WHITE_NITS = 203.0  # BT.2408: the brightness of a white sheet of paper in HDR video
HLG_PEAK_NITS, HLG_GAMMA = 1000.0, 1.2  # of the reference display
STEPS = 1 << 12  # entries of the tables: more than the ten or twelve bits that HDR video is coded in
KNEE = 0.8  # Brightness above this share of white is compressed, so that highlights keep their drawing.
BT2020_TO_BT709 = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]], np.float32
)


def to_standard_range(coded: NDArray[np.uint16], transfer: int) -> Image:
    """Convert RGB [H, W, 3] that is coded in PQ or HLG, with primaries of BT.2020, to uint8 sRGB [H, W, 3].

    Diffuse white becomes nearly 255. What is brighter is compressed into the rest of the range, with its hue kept.
    """
    light = _linear_table(transfer)[coded >> 4] @ BT2020_TO_BT709.T
    np.clip(light, 0, None, out=light)
    brightest = light.max(axis=2, keepdims=True)
    light *= _compressed(brightest) / np.maximum(brightest, 1e-6)
    return _srgb_table()[(light * (STEPS - 1) + 0.5).astype(np.uint16)]


def _compressed(light: NDArray[np.float32]) -> NDArray[np.float32]:
    """Map 0..infinity to 0..1: the identity up to the knee, an exponential shoulder above it."""
    room = 1 - KNEE
    shoulder = KNEE + room * (1 - np.exp(-np.maximum(light - KNEE, 0) / room))
    return np.where(light <= KNEE, light, shoulder).astype(np.float32)


@cache
def _linear_table(transfer: int) -> NDArray[np.float32]:
    """Light for each code value of one channel, with diffuse white as 1."""
    code = np.linspace(0, 1, STEPS)
    nits = _pq_nits(code) if transfer == PQ else _hlg_nits(code)
    return (nits / WHITE_NITS).astype(np.float32)


def _pq_nits(code: NDArray[np.float64]) -> NDArray[np.float64]:
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    power = code ** (1 / m2)
    return 10000 * (np.maximum(power - c1, 0) / (c2 - c3 * power)) ** (1 / m1)


def _hlg_nits(code: NDArray[np.float64]) -> NDArray[np.float64]:
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(code <= 0.5, code**2 / 3, (np.exp((code - c) / a) + b) / 12)
    return HLG_PEAK_NITS * scene**HLG_GAMMA


@cache
def _srgb_table() -> NDArray[np.uint8]:
    light = np.linspace(0, 1, STEPS)
    coded = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.rint(255 * coded).astype(np.uint8)
