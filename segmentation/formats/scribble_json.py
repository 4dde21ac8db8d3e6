"""Reads and writes scribbles in the JSON of the DAVIS interactive challenge.

A file is `{"sequence": name, "scribbles": [[scribble, ...] for each frame]}`. A scribble is
`{"path": [[x, y], ...], "object_id": id, "start_time": ms, "end_time": ms}` with x and y in 0..1; object 0 is the
background. The times are written as 0 and are not needed for reading.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from segmentation.formats.paths import checked_path
from segmentation.types import MAX_OBJECTS, Interaction, Scribble


class ScribbleError(ValueError):
    """A scribble file cannot be used; the message names the wrong part of it."""


def read_scribbles(path: Path | str, num_frames: int | None = None) -> tuple[Interaction, ...]:
    """Read a scribble file: one interaction for each frame that has scribbles, in the order of frames.

    Args:
        path: the file; "-" reads the standard input. A byte order mark is skipped.
        num_frames: the number of frames of the video, which the file must have too; None: it is not compared.

    Raises:
        ScribbleError: the file cannot be read or is wrong; the message begins with the file's name.
        ValueError: `path` is no path.
    """
    path = checked_path("path", path)
    try:
        data = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
        return parse_scribbles(json.loads(data.decode("utf-8-sig")), num_frames)
    except OSError as error:
        raise ScribbleError(f"{path.name}: it cannot be read ({error.strerror})") from None
    except ScribbleError as error:
        raise ScribbleError(f"{path.name}: {error}") from None
    except (ValueError, RecursionError):  # ValueError: also a whole number of thousands of digits
        raise ScribbleError(f"{path.name}: it is not JSON") from None


def write_scribbles(path: Path | str, interactions: Iterable[Interaction], sequence: str, num_frames: int) -> None:
    """Write the scribbles of `interactions` to `path`, for a video called `sequence` with `num_frames` frames.

    Raises:
        ScribbleError: an interaction is on a frame outside 0..num_frames - 1, or is no `Interaction`.
        ValueError: `path` is no path.
    """
    checked_path("path", path).write_text(
        json.dumps(scribble_data(interactions, sequence, num_frames)), encoding="utf-8"
    )


def parse_scribbles(data: Any, num_frames: int | None = None) -> tuple[Interaction, ...]:
    """Return the interactions in the parsed JSON of a scribble file, as `read_scribbles` does.

    Raises:
        ScribbleError: `data` is wrong; the message names the wrong part.
    """
    frames = data.get("scribbles") if isinstance(data, Mapping) else None
    if not isinstance(frames, list):
        raise ScribbleError('expected an object with a list "scribbles", which has one list for each frame')
    if num_frames is not None and len(frames) != num_frames:
        raise ScribbleError(f"it is for a video of {len(frames)} frames, this one has {num_frames}")
    interactions = []
    for frame, scribbles in enumerate(frames):
        if not isinstance(scribbles, list):
            raise ScribbleError(f"scribbles[{frame}]: expected a list of scribbles, got {_short(scribbles)}")
        if scribbles:
            parsed = tuple(_scribble(each, f"scribbles[{frame}][{i}]") for i, each in enumerate(scribbles))
            interactions.append(Interaction(frame, parsed))
    return tuple(interactions)


def scribble_data(interactions: Iterable[Interaction], sequence: str, num_frames: int) -> dict[str, Any]:
    """Return the content of a scribble file of a video with `num_frames` frames that is called `sequence`.

    The scribbles of several interactions on one frame are listed together, in the order of the interactions.

    Raises:
        ScribbleError: an interaction is on a frame outside 0..num_frames - 1, or is no `Interaction`.
    """
    frames: list[list[dict[str, Any]]] = [[] for _ in range(num_frames)]
    for interaction in interactions:
        if not isinstance(interaction, Interaction):
            raise ScribbleError(f"interactions: expected segmentation.Interaction, got {type(interaction).__name__}")
        if not 0 <= interaction.frame < num_frames:
            raise ScribbleError(f"interaction.frame: {interaction.frame} is outside 0..{num_frames - 1}")
        for scribble in interaction.scribbles:
            path = np.asarray(scribble.path, dtype=float).tolist()
            entry = {"path": path, "object_id": int(scribble.object_id), "start_time": 0, "end_time": 0}
            frames[interaction.frame].append(entry)
    return {"sequence": sequence, "scribbles": frames}


def _scribble(data: Any, place: str) -> Scribble:
    if not isinstance(data, Mapping):
        raise ScribbleError(f'{place}: expected an object with "path" and "object_id", got {_short(data)}')
    object_id = data.get("object_id")
    if isinstance(object_id, bool) or not isinstance(object_id, int) or not 0 <= object_id <= MAX_OBJECTS:
        raise ScribbleError(
            f"{place}.object_id: expected a whole number in 0..{MAX_OBJECTS}, got {_short(data.get('object_id'))}"
        )
    points = data.get("path")
    if not isinstance(points, list) or not points:
        raise ScribbleError(f"{place}.path: expected at least one point [x, y], got {_short(points)}")
    return Scribble(object_id, np.array([_point(point, f"{place}.path[{at}]") for at, point in enumerate(points)]))


def _point(data: Any, place: str) -> tuple[float, float]:
    if not isinstance(data, list) or len(data) != 2 or not all(_is_number(value) for value in data):
        raise ScribbleError(f"{place}: expected a point [x, y] of two numbers, got {_short(data)}")
    x, y = data
    if not (0 <= x <= 1 and 0 <= y <= 1):
        raise ScribbleError(f"{place}: {_short(data)} lies outside the frame; x and y are fractions of it, 0..1")
    return float(x), float(y)


def _is_number(value: object) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)  # it may be too large for a float


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
