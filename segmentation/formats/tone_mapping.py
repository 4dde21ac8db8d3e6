"""Converts frames of HDR video (PQ and HLG) to 8-bit sRGB, in which the web page and the engines work.

Sources: SMPTE ST 2084 (PQ), ITU-R BT.2100 (HLG), BT.2408 (reference white), BT.2087 (BT.2020 to BT.709).
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from segmentation.types import Image

PQ, HLG = 16, 18  # AVCOL_TRC_SMPTE2084, AVCOL_TRC_ARIB_STD_B67
HDR_TRANSFERS = {PQ: "PQ", HLG: "HLG"}
WHITE_NITS = 203.0  # luminance of diffuse white (such as white paper) in HDR video, by BT.2408
HLG_PEAK_NITS, HLG_GAMMA = 1000.0, 1.2  # peak luminance and gamma of the reference display of HLG
STEPS = 1 << 12  # entries of the lookup tables, one for each value of 12 bits; HDR video is coded in 10 or 12 bits
KNEE = 0.8  # Linear light above this fraction of white is compressed, so that bright areas keep their details.
BT2020_TO_BT709 = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]], np.float32
)


def to_standard_range(coded: NDArray[np.uint16], transfer: int) -> Image:
    """Convert 16-bit RGB [H, W, 3] in PQ or HLG, with BT.2020 primaries, to uint8 sRGB [H, W, 3].

    Light above `KNEE` of diffuse white is compressed into the rest of the range, without changing its hue.

    Args:
        transfer: `PQ` or `HLG`.
    """
    light = _linear_table(transfer)[coded >> 4] @ BT2020_TO_BT709.T
    np.clip(light, 0, None, out=light)
    brightest = light.max(axis=2, keepdims=True)
    light *= _compressed(brightest) / np.maximum(brightest, 1e-6)
    return _srgb_table()[(light * (STEPS - 1) + 0.5).astype(np.uint16)]


def _compressed(light: NDArray[np.float32]) -> NDArray[np.float32]:
    """Compress linear light 0..infinity to 0..1: values up to `KNEE` stay, those above approach 1 exponentially."""
    room = 1 - KNEE
    shoulder = KNEE + room * (1 - np.exp(-np.maximum(light - KNEE, 0) / room))
    return np.where(light <= KNEE, light, shoulder).astype(np.float32)


@cache
def _linear_table(transfer: int) -> NDArray[np.float32]:
    """Return a table [`STEPS`] of the linear light for each 12-bit code value of a channel; diffuse white is 1."""
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
