"""Encodes label maps by run lengths, and packs several of them into a container. docs/contracts.md has both layouts.

The same bytes are stored in the database and sent over the socket and by HTTP, so a mask is encoded once. Row-major
runs within the bounding box of the objects take 0.5-2 kB at 480p; a PNG takes five times that.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

LabelMap = NDArray[np.uint8]  # [H, W]

FORMAT = 1  # The first byte of an encoded mask.
CONTAINER_VERSION = 1
TYPE_MASKS, TYPE_PREVIEW = 1, 2  # A preview is not stored: its seq and its round are 0.
MAX_SIDE = 1 << 15
MAX_RUN_BYTES = 6  # A run in a frame of 32,768 x 32,768 with 256 ids is below 2 ** 42, so it takes six bytes at most.


class BadMask(ValueError):
    """The bytes do not encode a mask; the text says what was expected."""


# --- one mask ---------------------------------------------------------------------------------------------------------


def encode(labels: LabelMap) -> bytes:
    """Return the bytes of a label map, uint8 [H, W], with H and W from 1 to 32,768."""
    if labels.dtype != np.uint8 or labels.ndim != 2 or not 0 < min(labels.shape) <= max(labels.shape) <= MAX_SIDE:
        raise ValueError(f"labels: expected uint8 [H, W], got {labels.dtype} {labels.shape}")
    height, width = labels.shape
    x0, y0, x1, y1 = _box(labels)
    head = [FORMAT, width, height, x0, y0, x1 - x0, y1 - y0]
    if x0 == x1:
        return b"".join(map(varint, head))
    flat = np.ascontiguousarray(labels[y0:y1, x0:x1]).reshape(-1)
    starts = np.concatenate(([0], np.flatnonzero(flat[1:] != flat[:-1]) + 1))
    lengths = np.diff(starts, append=flat.size)
    values = flat[starts]
    ids = np.unique(values)
    index = np.searchsorted(ids, values)
    last = len(ids) - 1
    if last and index[0] == last:
        # A step encodes an id as its distance from the id of the previous run, so it cannot encode the same id again.
        # The first run counts as following a run of the last id. If it is of the last id itself, an empty run of the
        # first id is put before it.
        index, lengths = np.concatenate(([0], index)), np.concatenate(([0], lengths))
    before = np.concatenate(([last], index[:-1]))
    steps = (index - before - 1) % len(ids)
    runs = _varints(lengths * max(last, 1) + steps)
    squeeze = zlib.compressobj(6, zlib.DEFLATED, -15)
    return b"".join(
        (*map(varint, head), varint(len(ids)), *map(varint, ids.tolist()), squeeze.compress(runs), squeeze.flush())
    )


def decode(data: bytes) -> LabelMap:
    """Return the label map, uint8 [H, W], of encoded bytes. Raises BadMask if they encode none."""
    reader = _Reader(data)
    if reader.varint() != FORMAT:
        raise BadMask(f"format: expected {FORMAT}")
    width, height, x0, y0, w, h = (reader.varint() for _ in range(6))
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE and x0 + w <= width and y0 + h <= height):
        raise BadMask("size: the box does not lie inside a frame")
    labels = np.zeros((height, width), np.uint8)
    if w * h == 0:
        if w or h or reader.rest():
            raise BadMask("size: an empty frame has an empty box and nothing after it")
        return labels
    ids = np.array([reader.varint() for _ in range(min(reader.varint(), 256))])
    if len(ids) == 0 or ids[-1] > 255 or (np.diff(ids) <= 0).any():
        raise BadMask("ids: expected 1 to 256 ascending numbers below 256")
    numbers = _read_varints(_inflate(reader.rest(), (w * h + 1) * MAX_RUN_BYTES))
    lengths, steps = np.divmod(numbers, max(len(ids) - 1, 1))
    if lengths.sum() != w * h:
        raise BadMask(f"runs: expected {w * h} pixels, got {lengths.sum()}")
    index = (np.cumsum(steps + 1) - 1) % len(ids)
    labels[y0 : y0 + h, x0 : x0 + w] = np.repeat(ids[index].astype(np.uint8), lengths).reshape(h, w)
    return labels


def ids_of(data: bytes) -> set[int]:
    """Return the ids above 0 in an encoded label map. Only its head is read; raises BadMask if that is damaged."""
    reader = _Reader(data)
    if reader.varint() != FORMAT:
        raise BadMask(f"format: expected {FORMAT}")
    *_, w, h = (reader.varint() for _ in range(6))
    return {reader.varint() for _ in range(reader.varint())} - {0} if w * h else set()


def _box(labels: LabelMap) -> tuple[int, int, int, int]:
    """Return x0, y0, x1, y1 (x1 and y1 exclusive) of the box around all labels above 0, or zeros if there are none."""
    rows = np.flatnonzero(labels.any(axis=1))
    if rows.size == 0:
        return 0, 0, 0, 0
    y0, y1 = int(rows[0]), int(rows[-1]) + 1
    # This is faster than any(axis=0), because it combines whole rows.
    columns = np.flatnonzero(np.bitwise_or.reduce(labels[y0:y1], axis=0))
    return int(columns[0]), y0, int(columns[-1]) + 1, y1


# --- the container ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PackedMask:
    """A mask with what a browser needs to know about it. `confidence` is for objects 1, 2, ... and in 0..1.

    A preview has 0 as `seq` and as `round`.
    """

    seq: int  # The id of its row (Mask.id), which grows with every stored mask.
    round: int
    frame: int
    confidence: Sequence[float]
    data: bytes


def pack(masks: Iterable[PackedMask], kind: int = TYPE_MASKS) -> bytes:
    """Pack several masks into a container: a binary message of the socket, or the answer of /api/rounds/{id}/masks."""
    parts = [bytes((CONTAINER_VERSION, kind))]
    for mask in masks:
        confidence = bytes(min(max(round(value * 255), 0), 255) for value in mask.confidence)
        for number in (mask.seq, mask.round, mask.frame, len(confidence)):
            parts.append(varint(number))
        parts += [confidence, varint(len(mask.data)), mask.data]
    return b"".join(parts)


def unpack(container: bytes) -> list[PackedMask]:
    """Return the masks in a container of stored masks or of a preview. Raises BadMask."""
    reader = _Reader(container)
    if (reader.byte(), reader.byte()) not in ((CONTAINER_VERSION, TYPE_MASKS), (CONTAINER_VERSION, TYPE_PREVIEW)):
        raise BadMask("container: expected version 1 of type 1 or 2")
    masks = []
    while not reader.ended:
        seq, round_id, frame = reader.varint(), reader.varint(), reader.varint()
        confidence = tuple(value / 255 for value in reader.take(reader.varint()))
        masks.append(PackedMask(seq, round_id, frame, confidence, reader.take(reader.varint())))
    return masks


# --- numbers ----------------------------------------------------------------------------------------------------------


def varint(number: int) -> bytes:
    """Encode a number as unsigned LEB128: seven bits a byte, lowest first; the top bit says that more bytes follow."""
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def _varints(numbers: NDArray[Any]) -> bytes:
    """Encode many numbers as LEB128, all at once in array operations."""
    sizes = np.ones(len(numbers), np.intp)
    limit, largest = 128, int(numbers.max())
    while limit <= largest:
        sizes += numbers >= limit
        limit <<= 7
    ends = np.cumsum(sizes)
    out = np.empty(ends[-1], np.uint8)
    starts = ends - sizes
    for place in range(int(sizes.max())):
        there = sizes > place
        more = (sizes[there] > place + 1).astype(np.uint8) << 7
        out[starts[there] + place] = (numbers[there] >> 7 * place & 127).astype(np.uint8) | more
    return out.tobytes()


def _read_varints(data: bytes) -> NDArray[np.int64]:
    if not data or data[-1] & 128:
        raise BadMask("runs: cut off")
    digits = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(digits < 128)
    starts = np.concatenate(([0], ends[:-1] + 1))
    sizes = ends - starts + 1
    if sizes.max() > MAX_RUN_BYTES:
        raise BadMask("runs: a number is too long")
    places = np.arange(len(digits)) - np.repeat(starts, sizes)
    return np.add.reduceat((digits & 127).astype(np.int64) << 7 * places, starts)


def _inflate(data: bytes, limit: int) -> bytes:
    """Decompress raw deflate data. Raises BadMask if it is damaged or has more than `limit` bytes, which could fill
    the memory.
    """
    inflater = zlib.decompressobj(-15)
    try:
        plain = inflater.decompress(data, limit)
    except zlib.error as error:
        raise BadMask(f"runs: {error}") from None
    if not inflater.eof or inflater.unused_data:
        raise BadMask("runs: cut off, too long, or followed by something")
    return plain


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    @property
    def ended(self) -> bool:
        return self.at >= len(self.data)

    def byte(self) -> int:
        return self.take(1)[0]

    def take(self, size: int) -> bytes:
        part = self.data[self.at : self.at + size]
        if len(part) != size:
            raise BadMask("cut off")
        self.at += size
        return part

    def rest(self) -> bytes:
        return self.take(len(self.data) - self.at)

    def varint(self) -> int:
        number, shift = 0, 0
        while True:
            digit = self.byte()
            number |= (digit & 127) << shift
            if digit < 128:
                return number
            shift += 7
            if shift > 63:
                raise BadMask("a number is too long")
