"""Scribbles in the JSON of the DAVIS challenge, and scribbles as pixels.

The file is `{"sequence": name, "scribbles": [[stroke, ...] for each frame]}`, a stroke being
`{"path": [[x, y], ...], "object_id": id, "start_time": ms, "end_time": ms}` with x, y in 0..1.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from segmentation.types import MAX_OBJECTS, Interaction, Scribble

NO_SCRIBBLE = -1
Raster = NDArray[np.int16]  # [H, W]: the id of the scribble, or NO_SCRIBBLE


class ScribbleError(ValueError):
    """A scribble file that cannot be used; the sentence names the place."""


# --- the DAVIS format ---------------------------------------------------------------------------------------------


def load_scribbles(path: Path | str, num_frames: int | None = None) -> tuple[Interaction, ...]:
    """The interactions of a scribble file, by frame. Raises ScribbleError."""
    path = Path(path)
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ScribbleError(f"{path.name}: not a readable JSON file ({error})") from error
    try:
        return from_davis(data, num_frames)
    except ScribbleError as error:
        raise ScribbleError(f"{path.name}: {error}") from error


def save_scribbles(path: Path | str, interactions: Iterable[Interaction], sequence: str, num_frames: int) -> None:
    Path(path).write_text(json.dumps(to_davis(interactions, sequence, num_frames)), encoding="utf-8")


def from_davis(data: Any, num_frames: int | None = None) -> tuple[Interaction, ...]:
    """One interaction for each frame that has strokes. `num_frames`, when known, must be the file's.

    Raises:
        ScribbleError: naming frame, stroke and field.
    """
    frames = data.get("scribbles") if isinstance(data, Mapping) else None
    if not isinstance(frames, list):
        raise ScribbleError('scribbles: expected an object with a list "scribbles", one entry for each frame')
    if num_frames is not None and len(frames) != num_frames:
        raise ScribbleError(f"scribbles: the file is for {len(frames)} frames, the video has {num_frames}")
    interactions = []
    for frame, strokes in enumerate(frames):
        if not isinstance(strokes, list):
            raise ScribbleError(f"scribbles[{frame}]: expected a list of strokes")
        if strokes:
            parsed = tuple(_stroke(stroke, f"scribbles[{frame}][{i}]") for i, stroke in enumerate(strokes))
            interactions.append(Interaction(frame, parsed))
    return tuple(interactions)


def to_davis(interactions: Iterable[Interaction], sequence: str, num_frames: int) -> dict[str, Any]:
    """The DAVIS JSON object of `interactions`; strokes of several interactions on one frame are joined in order."""
    frames: list[list[dict[str, Any]]] = [[] for _ in range(num_frames)]
    for interaction in interactions:
        if not 0 <= interaction.frame < num_frames:
            raise ScribbleError(f"interaction.frame: {interaction.frame} is outside 0..{num_frames - 1}")
        for scribble in interaction.scribbles:
            path = np.asarray(scribble.path, dtype=float).tolist()
            stroke = {"path": path, "object_id": scribble.object_id, "start_time": 0, "end_time": 0}
            frames[interaction.frame].append(stroke)
    return {"sequence": sequence, "scribbles": frames}


def _stroke(data: Any, field: str) -> Scribble:
    if not isinstance(data, Mapping):
        raise ScribbleError(f'{field}: expected an object with "path" and "object_id"')
    object_id = data.get("object_id")
    if isinstance(object_id, bool) or not isinstance(object_id, int) or not 0 <= object_id <= MAX_OBJECTS:
        raise ScribbleError(f"{field}.object_id: expected a whole number in 0..{MAX_OBJECTS}, got {object_id!r}")
    try:
        path = np.asarray(data.get("path"), dtype=np.float64)
    except (TypeError, ValueError):
        path = np.empty(0)
    if path.ndim != 2 or path.shape[1] != 2:
        raise ScribbleError(f"{field}.path: expected at least one [x, y] point")
    if not np.isfinite(path).all() or path.min() < 0 or path.max() > 1:
        raise ScribbleError(f"{field}.path: points must lie inside the frame (0..1)")
    return Scribble(object_id, path)


# --- pixels -------------------------------------------------------------------------------------------------------


def stroke_pixels(path: NDArray[np.float64], height: int, width: int) -> NDArray[np.intp]:
    """The pixels (x, y) [K, 2] of a stroke, 1 px wide, in drawing order.

    Points are scaled by (W - 1, H - 1) and truncated, neighbours joined by Bresenham lines: pixel for pixel what the
    DAVIS package rasterises, so that published engines see the scribbles they were made for.
    """
    points = (np.asarray(path, dtype=float) * (width - 1, height - 1)).astype(np.intp)  # [P, 2]
    if len(points) < 2:
        return points
    return np.concatenate([_line(a, b) for a, b in pairwise(points)])


def _line(start: NDArray[np.intp], end: NDArray[np.intp]) -> NDArray[np.intp]:
    """Bresenham from `start` to `end`, both included: step the longer axis, round the shorter one half up."""
    delta = end - start
    size, sign = np.abs(delta), np.where(delta > 0, 1, -1)
    major = 0 if size[0] > size[1] else 1
    steps = np.arange(size[major] + 1)
    pixels = np.empty((len(steps), 2), dtype=np.intp)
    pixels[:, major] = start[major] + sign[major] * steps
    minor = 1 - major
    offset = (2 * size[minor] * steps + size[major]) // max(2 * size[major], 1)
    pixels[:, minor] = start[minor] + sign[minor] * offset
    return pixels


def rasterise(scribbles: Sequence[Scribble], height: int, width: int) -> Raster:
    """Scribbles as int16 [H, W]: the id drawn last on a pixel, NO_SCRIBBLE (-1) elsewhere."""
    raster = np.full((height, width), NO_SCRIBBLE, dtype=np.int16)
    for scribble in scribbles:
        pixels = stroke_pixels(scribble.path, height, width)
        raster[pixels[:, 1], pixels[:, 0]] = scribble.object_id
    return raster


def dilate(raster: Raster, iterations: int = 2) -> Raster:
    """Thicken every id with a 3x3 cross; where ids meet, the higher one wins (background is laid down first)."""
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    thick = np.full_like(raster, NO_SCRIBBLE)
    for object_id in np.unique(raster[raster >= 0]):
        grown = cv2.dilate((raster == object_id).astype(np.uint8), cross, iterations=iterations)
        thick[grown > 0] = object_id
    return thick


def cues_of(raster: Raster, object_id: int, both: bool = False) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Where the scribbles of an object and those of everything else are [H, W], thickened as IPN and STM expect it.

    The background and the other objects are one to this object. Where its own scribbles and those meet, its own win,
    as IPN has it; with `both`, such a pixel is of both, as STM has it, whose program thickens each map by itself.
    """
    if both:
        parts = (raster == object_id, (raster >= 0) & (raster != object_id))
        own, others = (dilate(np.where(part, 0, NO_SCRIBBLE).astype(np.int16)) == 0 for part in parts)
        return own, others
    own = np.where(raster == object_id, 1, np.where(raster >= 0, 0, NO_SCRIBBLE)).astype(np.int16)
    thick = dilate(own)
    return thick == 1, thick == 0
