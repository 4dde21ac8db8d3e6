"""Checks of the arguments of a session. Each raises ValueError with a message that begins with the argument's name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from inspect import signature
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmentation.engine_settings import EngineSettings
from segmentation.types import MAX_OBJECTS, Box, Click, Interaction, Scribble

PROMPTS: dict[str, type] = {"scribbles": Scribble, "clicks": Click, "boxes": Box}  # by the field of an interaction


def check_whole(field: str, value: object) -> None:
    """Raise ValueError unless `value` is a whole number; bool is refused too. `field` is its name in the message."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise ValueError(f"{field}: expected a whole number, got {value!r}")


def check_opening(frames: object, settings: object) -> None:
    """Check the video on which an engine is opened, and the settings, which may be None."""
    if not all(hasattr(frames, name) for name in ("height", "width", "__len__", "__getitem__")):
        raise ValueError(f"frames: expected a video, as from open_video, got {type(frames).__name__}")
    if not len(frames):  # type: ignore[arg-type]
        raise ValueError("frames: the video has no frames")
    if settings is not None and not isinstance(settings, EngineSettings):
        raise ValueError(f"settings: expected segmentation.EngineSettings, got {type(settings).__name__}")


def checked_list(field: str, values: object) -> list[Any]:
    """Return the values of an argument that may be any iterable except a text. `field` is its name in the message."""
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise ValueError(f"{field}: expected a list, got {type(values).__name__}")
    return list(values)


def checked_interactions(interactions: object) -> tuple[Interaction, ...]:
    """Check the types in one interaction or several, and return them as a tuple."""
    found = [interactions] if isinstance(interactions, Interaction) else checked_list("interactions", interactions)
    for each in found:
        if not isinstance(each, Interaction):
            raise ValueError(f"interactions: expected segmentation.Interaction, got {type(each).__name__}")
        for field, kind in PROMPTS.items():
            prompts = getattr(each, field)
            if not isinstance(prompts, tuple | list):
                raise ValueError(f"interaction.{field}: expected a tuple, got {type(prompts).__name__}")
            for i, prompt in enumerate(prompts):
                if not isinstance(prompt, kind):
                    got = type(prompt).__name__
                    raise ValueError(f"interaction.{field}[{i}]: expected segmentation.{kind.__name__}, got {got}")
    return tuple(found)


def checked_count(count: int, before: int) -> int:
    """Check a new number of objects and return it as Python's int. It must not be below the present number `before`."""
    check_whole("num_objects", count)
    if not 1 <= count <= MAX_OBJECTS:
        raise ValueError(f"num_objects: {count} is outside 1..{MAX_OBJECTS}")
    if count < before:
        raise ValueError(f"num_objects: cannot shrink from {before} to {count}")
    return int(count)


def check_frame(field: str, frame: int, count: int) -> None:
    check_whole(field, frame)
    if not 0 <= frame < count:
        raise ValueError(f"{field}: {frame} is outside 0..{count - 1}")


def checked_span(span: tuple[int, int] | None, count: int) -> range:
    """Check a span (first, last) of a video with `count` frames, and return its frames. None means all frames."""
    if span is None:
        return range(count)
    try:
        first, last = span
    except (TypeError, ValueError):
        raise ValueError(f"span: expected (first, last), got {span!r}") from None
    check_frame("span", first, count)
    check_frame("span", last, count)
    if first > last:
        raise ValueError(f"span: the first frame, {first}, is after the last one, {last}")
    return range(int(first), int(last) + 1)


def checked_ids(field: str, ids: Iterable[int], count: int) -> frozenset[int]:
    """Check that all `ids` are in 1..`count`, and return them as a set of Python's int. `field` names the argument."""
    found = checked_list(field, ids)
    for number in found:
        check_whole(field, number)
        if not 1 <= number <= count:
            raise ValueError(f"{field}: {number} is unknown, have 1..{count}")
    return frozenset(int(number) for number in found)


def check_labels(labels: object, height: int, width: int) -> None:
    expected = (height, width)
    if not isinstance(labels, np.ndarray):
        raise ValueError(f"labels: expected uint8 {expected}, got {type(labels).__name__}")
    if labels.shape != expected or labels.dtype != np.uint8:
        raise ValueError(f"labels: expected uint8 {expected}, got {labels.dtype} {labels.shape}")


def check_prompts(interaction: Interaction, objects: int) -> None:
    """Check the scribbles, clicks and boxes of an interaction in a session with `objects` objects."""
    for i, scribble in enumerate(interaction.scribbles):
        field = f"interaction.scribbles[{i}]"
        _check_object(f"{field}.object_id", scribble.object_id, 0, objects)
        path = _points(f"{field}.path", scribble.path)
        if path.ndim != 2 or path.shape[1] != 2 or len(path) < 1:
            raise ValueError(f"{field}.path: expected [P, 2] points, got shape {path.shape}")
        if not np.isfinite(path).all() or path.min() < 0 or path.max() > 1:
            raise ValueError(f"{field}.path: points must lie inside the frame (0..1)")
    for i, click in enumerate(interaction.clicks):
        _check_click(f"interaction.clicks[{i}]", click, objects)
    for i, box in enumerate(interaction.boxes):
        _check_box(f"interaction.boxes[{i}]", box, objects)


def _check_click(field: str, click: Click, objects: int) -> None:
    _check_object(f"{field}.object_id", click.object_id, 0, objects)
    if not isinstance(click.positive, bool | np.bool_):
        raise ValueError(f"{field}.positive: expected True or False, got {click.positive!r}")
    if not click.positive and click.object_id == 0:
        raise ValueError(f"{field}: a negative click of the background says nothing; name the object")
    point = _points(f"{field}.point", click.point)
    if point.shape != (2,) or not np.isfinite(point).all() or point.min() < 0 or point.max() > 1:
        raise ValueError(f"{field}.point: expected (x, y) inside the frame (0..1), got {click.point!r}")


def _check_box(field: str, box: Box, objects: int) -> None:
    _check_object(f"{field}.object_id", box.object_id, 1, objects)
    corners = _points(f"{field}.corners", box.corners)
    if corners.shape != (4,) or not np.isfinite(corners).all() or corners.min() < 0 or corners.max() > 1:
        raise ValueError(f"{field}.corners: expected (x0, y0, x1, y1) inside the frame (0..1), got {box.corners!r}")
    if not (corners[0] < corners[2] and corners[1] < corners[3]):
        raise ValueError(f"{field}.corners: expected x0 < x1 and y0 < y1, got {box.corners!r}")


def _check_object(field: str, object_id: int, least: int, objects: int) -> None:
    check_whole(field, object_id)
    if not least <= object_id <= objects:
        raise ValueError(f"{field}: {object_id} is unknown, have {least}..{objects}")


def _points(field: str, path: object) -> NDArray[np.float64]:
    try:
        points = np.asarray(path)
        if points.dtype.kind not in "fiu":  # NumPy would drop an imaginary part and parse text
            raise ValueError(f"got {points.dtype}")
        return points.astype(np.float64, copy=False)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{field}: expected numbers ({error})") from error


def check_options(name: str, setup: Callable[..., None], options: Mapping[str, Any]) -> None:
    """Raise ValueError for an option that is not a keyword argument of `setup`, the `_setup` of the engine `name`."""
    known = [
        option
        for option, parameter in signature(setup).parameters.items()
        if parameter.kind is not parameter.VAR_KEYWORD
    ]
    unknown = sorted(set(options) - set(known))
    if unknown:
        has = f"its options are {', '.join(known)}" if known else "it has no options"
        raise ValueError(f"options: {name} does not know {', '.join(unknown)}; {has}")
