"""Soft masks as bytes: what an engine notes of a frame, so that a rebuilt session goes on from the same probabilities.

A note is a header and deflated uint8 probabilities. If that is larger than a note may be, they are stored coarser: in
16 steps instead of 256, then at half the size, and so on. Whoever writes a note must go on from what it holds.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from segmentation.masks import resize_labels, resize_probabilities
from segmentation.types import LabelMap

ProbabilityMaps = NDArray[np.float32]  # [N, h, w], of object i + 1 in 0..1

LIMIT = 64 * 1024  # bytes, of `MaskUpdate.memo`
_HEADER = struct.Struct("<BBHHH")  # version, levels, N, height, width (as stored)
_VERSION = 1
_LEVELS = (255, 15)
_COARSEST = 16  # pixels of the smaller side, below which a note is not made coarser


def encode(masks: ProbabilityMaps) -> bytes:
    """The finest note of `masks` [N, h, w] that fits into `LIMIT` bytes.

    Raises:
        ValueError: when not even the coarsest fits (hundreds of objects).
    """
    for stored, levels in _candidates(masks):
        header = _HEADER.pack(_VERSION, levels, *stored.shape)
        note = header + zlib.compress(np.rint(stored * levels).astype(np.uint8).tobytes(), 6)
        if len(note) <= LIMIT:
            return note
    raise ValueError(f"masks: {len(masks)} objects do not fit into a note of {LIMIT} bytes")


def decode(note: bytes, height: int, width: int) -> ProbabilityMaps:
    """The masks of a note at the given size [N, height, width]. ValueError for bytes that are no note."""
    try:
        version, levels, *shape = _HEADER.unpack_from(note)
        if version != _VERSION:
            raise ValueError(f"memo: version {version} is not known")
        values = np.frombuffer(zlib.decompress(note[_HEADER.size :]), np.uint8).reshape(shape)
    except (struct.error, zlib.error) as error:
        raise ValueError("memo: not a note of soft masks") from error
    return resize_probabilities(values.astype(np.float32) / levels, height, width)


def from_labels(labels: LabelMap, num_objects: int, height: int, width: int) -> ProbabilityMaps:
    """Hard masks as soft ones [N, height, width]; made smaller, a cell holds the share of its pixels."""
    ids = np.arange(1, num_objects + 1)[:, None, None]
    if labels.size > height * width:
        masks = [
            cv2.resize((labels == i).astype(np.float32), (width, height), interpolation=cv2.INTER_AREA) for i in ids
        ]
        return np.stack(masks) if masks else np.zeros((0, height, width), np.float32)
    return (resize_labels(labels, height, width) == ids).astype(np.float32)


def with_objects(masks: ProbabilityMaps, num_objects: int) -> ProbabilityMaps:
    """`masks` with empty ones added (or cut off) for a number of objects."""
    result = np.zeros((num_objects, *masks.shape[1:]), np.float32)
    shared = min(num_objects, len(masks))
    result[:shared] = masks[:shared]
    return result


def _candidates(masks: ProbabilityMaps) -> Iterator[tuple[ProbabilityMaps, int]]:
    """Ever coarser versions of `masks`, each with its number of steps."""
    height, width = masks.shape[1:]
    while True:
        for levels in _LEVELS:
            yield masks, levels
        if min(height, width) < 2 * _COARSEST:
            return
        height, width = height // 2, width // 2
        masks = resize_probabilities(masks, height, width)
