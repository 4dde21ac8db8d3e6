"""Encodes probability maps as compact bytes, which engines attach to their masks as engine state.

A session that is rebuilt from stored rounds continues from the probabilities in these bytes. The session that wrote
them must decode them and continue from the result too, so that both compute the same masks.

The bytes are a header and deflated uint8 probabilities. If they exceed `LIMIT`, the maps are stored with less
precision: first with 16 levels instead of 256, then at half the height and width, and so on.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

import cv2
import numpy as np

from segmentation.masks import resize_labels, resize_probabilities, shown_ids
from segmentation.types import LabelMap, ProbabilityMaps

LIMIT = 64 * 1024  # largest size of `MaskUpdate.engine_state` in bytes
_HEADER = struct.Struct("<BBHHH")  # format version, levels, N, stored height, stored width
_VERSION = 1
_LEVELS = (255, 15)
_COARSEST = 16  # pixels; a side is halved while it has at least twice as many


def encode(maps: ProbabilityMaps) -> bytes:
    """Encode probability maps [N, h, w] with the highest precision that needs at most `LIMIT` bytes.

    Raises:
        ValueError: the lowest precision still needs more bytes. This takes hundreds of objects.
    """
    for stored, levels in _candidates(maps):
        header = _HEADER.pack(_VERSION, levels, *stored.shape)
        data = header + zlib.compress(np.rint(stored * levels).astype(np.uint8).tobytes(), 6)
        if len(data) <= LIMIT:
            return data
    raise ValueError(f"maps: {len(maps)} objects do not fit into an engine state of {LIMIT} bytes")


def decode(engine_state: bytes, height: int, width: int) -> ProbabilityMaps:
    """Decode the bytes of `encode`, and resize the probability maps to [N, height, width].

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
    """Return probability maps [N, height, width] of a mask [H, W].

    Each value is the fraction of the area of a cell that the object covers. If the maps are larger than the mask, every
    value is 0 or 1.
    """
    if labels.size <= height * width:
        ids = np.arange(1, num_objects + 1)[:, None, None]
        return (resize_labels(labels, height, width) == ids).astype(np.float32)
    maps = np.zeros((num_objects, height, width), np.float32)
    # Resizing is slow, and many objects of a video are not visible in a given frame: their maps stay 0.
    for number in shown_ids(labels) - {0}:
        if number <= num_objects:
            own = (labels == number).astype(np.float32)
            maps[number - 1] = cv2.resize(own, (width, height), interpolation=cv2.INTER_AREA)
    return maps


def with_objects(maps: ProbabilityMaps, num_objects: int) -> ProbabilityMaps:
    """Return maps of exactly `num_objects` objects: surplus maps are left out, and missing maps are zero."""
    result = np.zeros((num_objects, *maps.shape[1:]), np.float32)
    shared = min(num_objects, len(maps))
    result[:shared] = maps[:shared]
    return result


def _candidates(maps: ProbabilityMaps) -> Iterator[tuple[ProbabilityMaps, int]]:
    """Yield ever coarser forms of the maps, each with the number of steps from probability 0 to 1 that are stored."""
    height, width = maps.shape[1:]
    while True:
        for levels in _LEVELS:
            yield maps, levels
        smaller = [side // 2 if side >= 2 * _COARSEST else side for side in (height, width)]
        if smaller == [height, width]:
            return
        height, width = smaller
        maps = resize_probabilities(maps, height, width)
