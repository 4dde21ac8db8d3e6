"""What the JSON of COCO and that of YouTube-VIS have in common: categories, and annotations that belong to them."""

from __future__ import annotations

from typing import Any

from segmentation.formats.json_file import field


def instances_data(categories: dict[str, int], of: str) -> dict[str, Any]:
    """Return a file without annotations. `of` is what its annotations belong to, "images" or "videos".

    `categories` are the ids of the categories by name.
    """
    return {
        "info": {"description": "Exported by Maskwright"},
        "licenses": [],
        "categories": [{"id": number, "name": name, "supercategory": ""} for name, number in categories.items()],
        of: [],
        "annotations": [],
    }


def add_annotation(data: dict[str, Any], category: int, **fields: Any) -> None:
    """Add an annotation of the category with this id to a file. Annotations are numbered 1, 2, ..."""
    number = len(data["annotations"]) + 1
    data["annotations"].append({"id": number, "category_id": category, "iscrowd": 0, **fields})


def category_names(data: dict[str, Any]) -> dict[int, str]:
    """Return the names of the categories of a file by their ids. Raises AnnotationError for damaged ones."""
    rows = [(each, f"categories[{at}]") for at, each in enumerate(field(data, "categories", list, "file"))]
    return {field(each, "id", int, place): field(each, "name", str, place) for each, place in rows}


def annotations_by(data: dict[str, Any], key: str) -> dict[int, list[tuple[str, dict[str, Any]]]]:
    """Return the annotations of a file, each with its place for messages, by the id in the field `key`.

    Raises:
        AnnotationError: an annotation is no object, or has no such field.
    """
    found: dict[int, list[tuple[str, dict[str, Any]]]] = {}
    for at, annotation in enumerate(field(data, "annotations", list, "file")):
        place = f"annotations[{at}]"
        found.setdefault(field(annotation, key, int, place), []).append((place, annotation))
    return found
