"""Finds scene cuts: frames that differ from the frame before them far more than nearby frames differ from theirs.

A frame is compared as a small picture, so that noise and motion count little. A cut must stand out in two ways: the
small pictures differ more than those nearby, and the colours of the whole picture change. A flash, after which the old
picture comes back, is no cut.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Signature = NDArray[np.uint8]  # [ROWS, COLUMNS, 3], a frame as a small RGB picture
Signatures = NDArray[np.uint8]  # [frames, ROWS, COLUMNS, 3]

ROWS, COLUMNS = 18, 32
BINS = 8  # The number of bins of each colour's histogram.
WINDOW = 8  # The number of frames on each side whose changes are compared with that of a frame.
LEAST_CHANGE = 0.06  # The least mean difference of two small pictures at a cut, 0..1.
LEAST_COLOURS = 0.12  # The least distance of two colour histograms at a cut, 0..1.
STANDS_OUT = 2.0  # The least ratio of the change at a cut to the greatest change nearby.
SHORTEST = 4  # The least number of frames in a scene.


class SignatureList:
    """The signatures of the frames of a video, in one block of memory.

    Separate arrays, which exist as long as the import, would lie between the much larger arrays of frames. The
    memory of frames could then not be used again: 80 kB for each frame, 1.7 GB for 20,000 frames.
    """

    def __init__(self) -> None:
        self._bytes = bytearray()

    def append(self, signature: Signature) -> None:
        self._bytes += signature.tobytes()

    def all(self) -> Signatures:
        return np.frombuffer(self._bytes, np.uint8).reshape(-1, ROWS, COLUMNS, 3)


def signature_of(picture: Image.Image) -> Signature:
    """Return the small picture by which a frame, of mode RGB, is compared."""
    return np.asarray(picture.resize((COLUMNS, ROWS), Image.Resampling.BOX, reducing_gap=2.0))


def cuts_of(signatures: Signatures) -> list[int]:
    """Return the first frame of each new scene, ascending, from the signatures of all frames of a video.

    The first frame of the video is not among them.
    """
    if len(signatures) < 2 * SHORTEST:
        return []
    changes = np.zeros(len(signatures))
    for frame in range(1, len(signatures)):
        changes[frame] = np.abs(np.subtract(signatures[frame], signatures[frame - 1], dtype=np.float32)).mean() / 255
    colours = np.stack([_histogram(picture) for picture in signatures])
    cuts: list[int] = []
    for frame in range(SHORTEST, len(signatures) - SHORTEST + 1):
        if cuts and frame - cuts[-1] < SHORTEST:
            continue
        if _stands_out(changes, frame) and _stays_changed(signatures, colours, frame):
            cuts.append(frame)
    return cuts


def _histogram(signature: Signature) -> NDArray[np.float32]:
    """Return how the pixels are spread over the bins of each colour, float32 [3 * BINS], with the sum 1."""
    counts = [np.bincount(signature[..., i].ravel() // (256 // BINS), minlength=BINS) for i in range(3)]
    return np.concatenate(counts).astype(np.float32) / np.float32(3 * signature[..., 0].size)


def _stands_out(changes: NDArray[np.float64], frame: int) -> bool:
    nearby = changes[max(1, frame - WINDOW) : frame + WINDOW + 1]
    others = np.delete(nearby, frame - max(1, frame - WINDOW))
    return bool(changes[frame] >= max(LEAST_CHANGE, STANDS_OUT * others.max(initial=0)))


def _stays_changed(small: Signatures, colours: NDArray[np.float32], frame: int) -> bool:
    """Return whether the three frames from `frame` on differ from the three before, in colours and in the small
    picture.
    """
    before, after = slice(frame - 3, frame), slice(frame, frame + 3)
    distance = np.abs(colours[before].mean(axis=0) - colours[after].mean(axis=0)).sum() / 2
    change = np.abs(small[before].mean(axis=0) - small[after].mean(axis=0)).mean() / 255
    return bool(distance >= LEAST_COLOURS and change >= LEAST_CHANGE)
