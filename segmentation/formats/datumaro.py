"""Reads and writes the JSON of Datumaro: items with polygons and masks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from segmentation.formats.annotated_video import AnnotatedVideo, check_frame_size, folder_titles
from segmentation.formats.coco_rle import decode_segmentation
from segmentation.formats.json_file import AnnotationError, field
from segmentation.formats.object_masks import ObjectMask, object_masks
from segmentation.formats.shape_frames import Shape, ShapeFrame, video_of_shapes


def datumaro_head(names: list[str]) -> dict[str, Any]:
    """Return the content of a file without its items. `names` are the names of the labels in order."""
    labels = [{"name": name, "parent": "", "attributes": []} for name in names]
    known = {"label": {"labels": labels, "label_groups": [], "attributes": ["track_id"]}}
    # The type of media 2 is that of images.
    return {"dm_format_version": "1.0", "media_type": 2, "infos": {}, "categories": known}


def datumaro_items(
    videos: list[AnnotatedVideo], names: list[str], tick: Any = lambda: None
) -> Iterator[dict[str, Any]]:
    """Yield the items of a file: the frames of `videos` that have a mask, called <video>/<frame>.

    `names` are those of `datumaro_head`. `tick` is called after each frame. `track_id` and `group` are the id of an
    object in its video.
    """
    for video in videos:
        for index, frame, labels in zip(video.numbers, video.frames, video.masks(), strict=True):
            if labels is not None:
                rows = [_row(at, mask, names) for at, mask in enumerate(object_masks(video, labels))]
                image = {"path": f"{video.name}/{frame}.jpg", "size": [video.height, video.width]}
                yield {"id": f"{video.name}/{frame}", "annotations": rows, "attr": {"frame": index}, "image": image}
            tick()


def _row(at: int, mask: ObjectMask, names: list[str]) -> dict[str, Any]:
    row = {"id": at, "type": "mask", "attributes": {"track_id": mask.object.id}, "group": mask.object.id}
    return {**row, "label_id": names.index(mask.object.category), "rle": mask.rle, "z_order": 0}


def read_datumaro(data: dict[str, Any]) -> list[AnnotatedVideo]:
    """Read a Datumaro file. The items of a folder are the frames of a video; `track_id` or `group` tells objects apart.

    Raises:
        AnnotationError: the file is damaged, has annotations other than polygons and masks, or sizes or a number of
            objects that a video cannot have. Damaged outlines and run lengths are found when `masks` is called.
    """
    names = [
        field(each, "name", str, "categories.label.labels")
        for each in field(
            field(field(data, "categories", dict, "file"), "label", dict, "categories"), "labels", list, ""
        )
    ]
    videos: dict[str, list[ShapeFrame]] = {}
    for at, item in enumerate(field(data, "items", list, "file")):
        path = PurePosixPath(field(item, "id", str, f"items[{at}]"))
        videos.setdefault(str(path.parent), []).append(_frame(item, f"items[{at}]", path.name, names))
    titles = folder_titles(videos)
    return [video_of_shapes(titles[folder], frames) for folder, frames in videos.items()]


def _frame(item: Any, place: str, name: str, names: list[str]) -> ShapeFrame:
    size = field(field(item, "image", dict, place), "size", list, f"{place}.image")
    if len(size) != 2 or not all(isinstance(side, int) and not isinstance(side, bool) for side in size):
        raise AnnotationError(f"{place}.image.size: expected [height, width]")
    height, width = size
    check_frame_size(width, height, place)
    rows = [(each, f"{place}.annotations[{at}]") for at, each in enumerate(field(item, "annotations", list, place))]
    return ShapeFrame(place, name, width, height, [_shape(row, where, names, width, height) for row, where in rows])


def _order(row: dict[str, Any]) -> int:
    order = row.get("z_order", 0)
    return order if isinstance(order, int) else 0


def _shape(row: Any, place: str, names: list[str], width: int, height: int) -> Shape:
    kind, label = field(row, "type", str, place), field(row, "label_id", int, place)
    if not 0 <= label < len(names):
        raise AnnotationError(f"{place}.label_id: there is no label {label}")
    attributes = row.get("attributes")
    track = attributes.get("track_id") if isinstance(attributes, dict) else None
    group = row.get("group")
    key = next((v for v in (track, group) if isinstance(v, int) and not isinstance(v, bool) and v > 0), None)
    if kind == "polygon":
        content: Any = [field(row, "points", list, place)]
    elif kind == "mask":
        content = field(row, "rle", dict, place)
    else:
        raise AnnotationError(f"{place}: it is a {kind[:40]}; only polygons and masks are read")
    return Shape(names[label], key, lambda: decode_segmentation(content, height, width), _order(row))
