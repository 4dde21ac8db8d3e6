"""Scribbles in the JSON of the DAVIS challenge, as a script brings them.

`{"sequence": name, "scribbles": [[stroke, ...] for each frame]}`, a stroke being
`{"path": [[x, y], ...], "object_id": id}` with x and y in 0..1; other fields, such as times, are not needed.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from webapp.annotation.objects import MAX_OBJECTS
from webapp.problems import Problem


@dataclass(frozen=True)
class DrawnStroke:
    """A scribble of object `number` (0 = background): [[x, y], ...] in 0..1, at least one point."""

    number: int
    path: list[list[float]]


@dataclass(frozen=True)
class DrawnFrame:
    """All strokes that a file has on one frame: what one round is made of."""

    frame: int
    strokes: list[DrawnStroke]


def read_scribbles(path: Path) -> list[list[DrawnStroke]]:
    """The strokes of each frame. Raises Problem naming file and place."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise _bad(path, f"cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, json.JSONDecodeError):
        raise _bad(path, "is not JSON") from None
    frames = data.get("scribbles") if isinstance(data, dict) else None
    if not isinstance(frames, list) or not all(isinstance(strokes, list) for strokes in frames):
        raise _bad(path, 'has no list "scribbles" with a list of strokes for each frame')
    return [
        [_stroke(path, stroke, f"scribbles[{frame}][{at}]") for at, stroke in enumerate(strokes)]
        for frame, strokes in enumerate(frames)
    ]


def drawn_frames(path: Path, frame_count: int) -> list[DrawnFrame]:
    """The frames of a file that have strokes, in order. Raises Problem for a file of another video, or without any."""
    frames = read_scribbles(path)
    if len(frames) != frame_count:
        raise _bad(path, f"is for a video of {len(frames)} frames, this one has {frame_count}")
    drawn = [DrawnFrame(frame, strokes) for frame, strokes in enumerate(frames) if strokes]
    if not drawn:
        raise _bad(path, "has no stroke on any frame")
    return drawn


def _stroke(file: Path, data: Any, place: str) -> DrawnStroke:
    if not isinstance(data, dict):
        raise _bad(file, f'has no stroke at {place}: expected "path" and "object_id"')
    number = data.get("object_id")
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number <= MAX_OBJECTS:
        raise _bad(file, f"names object {number!r} at {place}.object_id: expected 0 to {MAX_OBJECTS}")
    points = data.get("path")
    if not isinstance(points, list) or not points:
        raise _bad(file, f"has no points at {place}.path")
    return DrawnStroke(number, [_point(file, point, f"{place}.path[{at}]") for at, point in enumerate(points)])


def _point(file: Path, data: Any, place: str) -> list[float]:
    if not isinstance(data, list) or len(data) != 2 or not all(_is_number(value) for value in data):
        raise _bad(file, f"has no [x, y] at {place}")
    if not all(0 <= value <= 1 for value in data):
        raise _bad(file, f"has a point outside the frame at {place}: x and y are fractions of it, 0 to 1")
    return [float(data[0]), float(data[1])]


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _bad(path: Path, text: str) -> Problem:
    return Problem("bad_scribbles", f"{path.name} {text}.")
