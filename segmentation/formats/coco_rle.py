"""Encodes and decodes masks as COCO run lengths: `{"size": [height, width], "counts": text}`, column by column.

`counts` is COCO's compressed text, as pycocotools writes it. `counts` as a list of numbers, and polygons in place of
run lengths, which other programs write, can be decoded too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmentation.formats.label_png import MaskError

BinaryMask = NDArray[np.bool_]  # [H, W]
Positions = NDArray[np.intp]
MOST_POINTS = 100_000  # largest number of points of a polygon that is read


def encode_rle(mask: BinaryMask) -> dict[str, Any]:
    """Return a mask, bool [H, W], as an object `{"size": ..., "counts": text}` of COCO."""
    from pycocotools import mask as coco

    encoded = coco.encode(np.asfortranarray(mask, np.uint8))
    return {"size": [int(side) for side in mask.shape], "counts": encoded["counts"].decode("ascii")}


@dataclass(frozen=True, eq=False)
class Runs:
    """The runs of pixels of an object in a frame of `height` x `width`. There is at least one run.

    Pixels are numbered down the first column, then down the second, and so on. A run has the pixels from `starts[i]` to
    `ends[i]` - 1, and the runs ascend.
    """

    starts: Positions
    ends: Positions
    height: int
    width: int

    @property
    def area(self) -> int:
        return int((self.ends - self.starts).sum())

    @property
    def box(self) -> tuple[int, int, int, int]:
        """The bounding box x, y, width, height."""
        first, top = np.divmod(self.starts, self.height)
        last, bottom = np.divmod(self.ends - 1, self.height)
        x, right = int(first[0]), int(last[-1]) + 1
        if (first != last).any():  # A run that goes on in the next column has the lowest and the highest row.
            return x, 0, right - x, self.height
        y = int(top.min())
        return x, y, right - x, int(bottom.max()) + 1 - y

    @property
    def rle(self) -> dict[str, Any]:
        """The mask of the object as run lengths of COCO, in the form that `encode_rle` returns."""
        from pycocotools import mask as coco

        edges = np.stack([self.starts, self.ends], axis=1).ravel()
        end = self.height * self.width
        counts = np.diff(edges, prepend=0, append=end if edges[-1] < end else edges[:0])
        size = [self.height, self.width]
        encoded = coco.frPyObjects({"size": size, "counts": counts}, self.height, self.width)
        return {"size": size, "counts": encoded["counts"].decode("ascii")}


def object_runs(labels: NDArray[np.uint8]) -> dict[int, Runs]:
    """Return the runs of each object of a label map, uint8 [H, W], by object id, ascending; 0 is no object.

    It reads the label map once, however many objects there are.
    """
    height, width = labels.shape
    columns = labels.T.ravel()
    starts = np.concatenate(([0], np.flatnonzero(columns[1:] != columns[:-1]) + 1))
    ends, values = np.append(starts[1:], columns.size), columns[starts]
    ids = np.flatnonzero(np.bincount(values, minlength=1)[1:]) + 1
    return {int(each): Runs(starts[values == each], ends[values == each], height, width) for each in ids}


def decode_segmentation(data: Any, height: int, width: int) -> BinaryMask:
    """Decode the field `segmentation` of COCO: run lengths as text or numbers, or a list of polygons.

    Returns:
        bool [height, width].

    Raises:
        MaskError: `data` is damaged, or its size is not [height, width].
    """
    if isinstance(data, Mapping):
        return _decode_rle(data, height, width)
    if isinstance(data, list):
        return _decode_polygons(data, height, width)
    raise MaskError("expected run lengths or polygons")


def _decode_rle(data: Mapping[str, Any], height: int, width: int) -> BinaryMask:
    size, counts = data.get("size"), data.get("counts")
    if size != [height, width]:
        raise MaskError(f"its size is {_short(size)}, the frame has [{height}, {width}]")
    # No run is longer than a frame and no mask has more runs than pixels, so nothing here needs much memory.
    runs = _runs(counts, height * width) if isinstance(counts, str) else counts
    if not isinstance(runs, list) or len(runs) > height * width + 1:
        raise MaskError("its counts are neither a text nor a list of numbers")
    if not all(isinstance(run, int) and not isinstance(run, bool) and 0 <= run <= height * width for run in runs):
        raise MaskError("its counts have a number that is no length of a run")
    if sum(runs) != height * width:
        raise MaskError(f"its counts are for {sum(runs)} pixels, the frame has {height * width}")
    values = np.arange(len(runs)) % 2 == 1
    return np.ascontiguousarray(np.repeat(values, runs).reshape(width, height).T)


def _runs(text: str, most: int) -> list[int]:
    """Decompress COCO's text into run lengths, as `rleFrString` of pycocotools does.

    Raises MaskError if the text is damaged, or if a run is longer than `most`.

    Each character holds five bits of a number, the lowest first. From the fourth run length on, the number is the
    difference to the run length two places before.
    """
    runs: list[int] = []
    value = shift = 0
    for letter in text:
        bits = ord(letter) - 48
        if not 0 <= bits < 64 or shift > 30:
            raise MaskError("its counts are damaged")
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:
            value -= 1 << shift
        runs.append(value + runs[-2] if len(runs) > 2 else value)
        if abs(runs[-1]) > most:
            raise MaskError("its counts are damaged")
        value = shift = 0
    if shift:
        raise MaskError("its counts are cut off")
    return runs


def _decode_polygons(data: list[Any], height: int, width: int) -> BinaryMask:
    from pycocotools import mask as coco

    polygons = []
    for at, points in enumerate(data):
        if not isinstance(points, list) or len(points) < 6 or len(points) % 2 or len(points) > 2 * MOST_POINTS:
            raise MaskError(f"polygon {at}: expected at least three points as a list x1, y1, x2, y2, ...")
        if not all(is_coordinate(value) for value in points):
            raise MaskError(f"polygon {at}: a coordinate is no number")
        limit = np.tile([width, height], len(points) // 2)
        polygons.append(np.clip(np.asarray(points, float), 0, limit).tolist())
    if not polygons:
        return np.zeros((height, width), bool)
    merged = coco.merge(coco.frPyObjects(polygons, height, width))
    return np.ascontiguousarray(coco.decode(merged)).astype(bool)


def is_coordinate(value: object) -> bool:
    """Return whether a value from JSON can be a coordinate in pixels or percent: a number between -1e9 and 1e9."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e9


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
