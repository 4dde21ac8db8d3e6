"""Reads the tables of objects beside mask files: objects.json of Maskwright's exports, and meta.json of YouTube-VOS."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from segmentation.formats.annotated_video import AnnotatedObject
from segmentation.formats.json_file import AnnotationError, field
from segmentation.types import MAX_OBJECTS

MOST_SPANS = 100_000  # An object with more absent spans is refused.


def read_object_table(data: Mapping[str, Any], place: str) -> tuple[AnnotatedObject, ...]:
    """Return the objects in the content of an objects.json. `place` names the file in the messages of errors.

    Raises:
        AnnotationError: the content is damaged.
    """
    objects = []
    for at, row in enumerate(field(data, "objects", list, place)):
        where = f"{place}: objects[{at}]"
        number = field(row, "id", int, where)
        _check_id(number, where)
        label, color = row.get("label") or "", row.get("color") or ""
        if not isinstance(label, str):
            raise AnnotationError(f"{where}.label: expected a text")
        if not isinstance(color, str) or not re.fullmatch(r"#[0-9a-fA-F]{6}|", color):
            raise AnnotationError(f"{where}.color: expected a colour such as #06d6a0")
        spans = row.get("absent") or []
        if not isinstance(spans, list):
            raise AnnotationError(f"{where}.absent: expected a list of spans [first, last] of frames")
        if len(spans) > MOST_SPANS:
            raise AnnotationError(f"{where}.absent: {len(spans)} spans, at most {MOST_SPANS} are read")
        absent = tuple(_span(span, f"{where}.absent") for span in spans)
        objects.append(AnnotatedObject(number, field(row, "name", str, where), label, color, absent))
    if len({each.id for each in objects}) != len(objects):
        raise AnnotationError(f"{place}: two objects have the same id")
    return tuple(objects)


def read_youtube_vos_meta(data: Mapping[str, Any], place: str) -> dict[str, tuple[AnnotatedObject, ...]]:
    """Return the objects of each video in the content of a meta.json of YouTube-VOS.

    Raises:
        AnnotationError: the content is damaged.
    """
    found = {}
    for video, entry in field(data, "videos", dict, place).items():
        objects = []
        for key, row in field(entry, "objects", dict, f"{place}: {video}").items():
            where = f"{place}: {video}.objects.{key}"
            if not (key.isascii() and key.isdigit() and len(key) <= 3):
                raise AnnotationError(f"{where}: expected an object id as the key")
            _check_id(int(key), where)
            category = row.get("category", "") if isinstance(row, dict) else ""
            objects.append(AnnotatedObject(int(key), "", category if isinstance(category, str) else ""))
        found[video] = tuple(sorted(objects, key=lambda each: each.id))
    return found


def _check_id(number: int, place: str) -> None:
    if not 0 < number <= MAX_OBJECTS:
        raise AnnotationError(f"{place}.id: expected a whole number in 1..{MAX_OBJECTS}")


def _span(value: Any, place: str) -> tuple[int, int]:
    if (
        not isinstance(value, list)
        or len(value) != 2
        or not all(isinstance(v, int) and not isinstance(v, bool) for v in value)
        or not 0 <= value[0] <= value[1] < 1 << 20
    ):
        raise AnnotationError(f"{place}: expected spans [first, last] of frames")
    return value[0], value[1]
