"""What the JSON of COCO and that of YouTube-VIS have in common: categories, and annotations that belong to them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from segmentation.formats.json_file import field


def instances_pieces(
    categories: dict[str, int], of: str, owners: Iterable[dict[str, Any]], annotations: Iterable[bytes]
) -> Iterator[bytes]:
    """Yield the bytes of a file piece by piece, so that it need not be in memory as a whole.

    Args:
        categories: the ids of the categories by name.
        of: the field of what the annotations belong to, "images" or "videos".
        owners: the content of that field.
        annotations: the JSON of each annotation. They are asked for one by one, after all owners.
    """
    head = {
        "info": {"description": "Exported by Maskwright"},
        "licenses": [],
        "categories": [{"id": number, "name": name, "supercategory": ""} for name, number in categories.items()],
    }
    yield compact_json(head)[:-1] + f',"{of}":['.encode()
    yield from _separated(compact_json(owner) for owner in owners)
    yield b'],"annotations":['
    yield from _separated(annotations)
    yield b"]}"


def _separated(rows: Iterable[bytes]) -> Iterator[bytes]:
    for at, row in enumerate(rows):
        yield b"," + row if at else row


def compact_json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def annotation_fields(number: int, category: int, **fields: Any) -> dict[str, Any]:
    """Return an annotation of the category with this id. Annotations of a file are numbered 1, 2, ..."""
    return {"id": number, "category_id": category, "iscrowd": 0, **fields}


def category_names(data: dict[str, Any]) -> dict[int, str]:
    """Return the names of the categories of a file by their ids. Raises AnnotationError for damaged ones."""
    rows = [(each, f"categories[{at}]") for at, each in enumerate(field(data, "categories", list, "file"))]
    return {field(each, "id", int, place): field(each, "name", str, place) for each, place in rows}


def annotations_by(data: dict[str, Any], key: str) -> dict[int, list[tuple[str, dict[str, Any]]]]:
    """Return the annotations of a file, each with its place in the file, for messages, by the id in the field `key`.

    Raises:
        AnnotationError: the file has no list of annotations, or one of them has no whole number in the field `key`.
    """
    found: dict[int, list[tuple[str, dict[str, Any]]]] = {}
    for at, annotation in enumerate(field(data, "annotations", list, "file")):
        place = f"annotations[{at}]"
        found.setdefault(field(annotation, key, int, place), []).append((place, annotation))
    return found
