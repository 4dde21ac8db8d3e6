"""Probability maps as compact bytes, which engines attach to their masks as engine state.

A session that is rebuilt from stored rounds continues from the probabilities in these bytes. So must the session that
wrote them: it decodes what it has encoded, and both compute the same masks.

The bytes are a header and deflated uint8 probabilities. If they exceed `LIMIT`, the maps are stored more coarsely:
first with 16 levels instead of 256, then at half the size, and so on.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

import cv2
import numpy as np

from segmentation.masks import resize_labels, resize_probabilities
from segmentation.types import LabelMap, ProbabilityMaps

LIMIT = 64 * 1024  # bytes that `MaskUpdate.engine_state` may have
_HEADER = struct.Struct("<BBHHH")  # version, levels, N, height, width (as stored)
_VERSION = 1
_LEVELS = (255, 15)
_COARSEST = 16  # pixels; a side is halved while it has at least twice as many


def encode(maps: ProbabilityMaps) -> bytes:
    """Encode maps [N, h, w] as finely as `LIMIT` bytes allow.

    Raises:
        ValueError: the coarsest encoding is still too large, which takes hundreds of objects.
    """
    for stored, levels in _candidates(maps):
        header = _HEADER.pack(_VERSION, levels, *stored.shape)
        data = header + zlib.compress(np.rint(stored * levels).astype(np.uint8).tobytes(), 6)
        if len(data) <= LIMIT:
            return data
    raise ValueError(f"maps: {len(maps)} objects do not fit into an engine state of {LIMIT} bytes")


def decode(engine_state: bytes, height: int, width: int) -> ProbabilityMaps:
    """Decode the maps and resize them to [N, height, width].

    Raises:
        ValueError: the bytes were not written by `encode`.
    """
    try:
        version, levels, *shape = _HEADER.unpack_from(engine_state)
        if version != _VERSION:
            raise ValueError(f"engine state: version {version} is not known")
        values = np.frombuffer(zlib.decompress(engine_state[_HEADER.size :]), np.uint8).reshape(shape)
    except (struct.error, zlib.error) as error:
        raise ValueError("engine state: these bytes hold no probability maps") from error
    return resize_probabilities(values.astype(np.float32) / levels, height, width)


def from_labels(labels: LabelMap, num_objects: int, height: int, width: int) -> ProbabilityMaps:
    """The probability maps [N, height, width] of a mask: each value is the share of its cell that the object covers.

    Where the maps are larger than the mask, every value is 0 or 1.
    """
    ids = np.arange(1, num_objects + 1)[:, None, None]
    if labels.size > height * width:
        maps = [
            cv2.resize((labels == i).astype(np.float32), (width, height), interpolation=cv2.INTER_AREA) for i in ids
        ]
        return np.stack(maps) if maps else np.zeros((0, height, width), np.float32)
    return (resize_labels(labels, height, width) == ids).astype(np.float32)


def with_objects(maps: ProbabilityMaps, num_objects: int) -> ProbabilityMaps:
    """The maps of exactly `num_objects` objects: maps of further ones are cut off, missing ones are zero."""
    result = np.zeros((num_objects, *maps.shape[1:]), np.float32)
    shared = min(num_objects, len(maps))
    result[:shared] = maps[:shared]
    return result


def _candidates(maps: ProbabilityMaps) -> Iterator[tuple[ProbabilityMaps, int]]:
    """Ever coarser versions of the maps, each with its number of levels."""
    height, width = maps.shape[1:]
    while True:
        for levels in _LEVELS:
            yield maps, levels
        smaller = [side // 2 if side >= 2 * _COARSEST else side for side in (height, width)]
        if smaller == [height, width]:
            return
        height, width = smaller
        maps = resize_probabilities(maps, height, width)
