"""Reads and writes masks as COCO instances (JSON): one annotation, with run lengths, for each object in each frame."""

from __future__ import annotations

from typing import Any

import numpy as np

from segmentation.formats.annotated_video import AnnotatedVideo, categories
from segmentation.formats.coco_rle import BinaryMask, area_and_box, decode_segmentation, encode_rle
from segmentation.formats.json_file import AnnotationError, at_place, field
from segmentation.formats.label_png import MaskError
from segmentation.types import MAX_OBJECTS, LabelMap

MOST_PIXELS = 1 << 26  # largest frame, in pixels, that is read


def coco_data(videos: list[AnnotatedVideo], tick: Any = lambda: None) -> dict[str, Any]:
    """Return the content of a COCO file with all masks of `videos`. `tick` is called after each frame.

    Each annotation also has a field `track_id`, which is not part of COCO: the object's id in its video.
    """
    numbers = categories(videos)
    data: dict[str, Any] = {
        "info": {"description": "Exported by Maskwright"},
        "licenses": [],
        "categories": [{"id": n, "name": name, "supercategory": ""} for name, n in numbers.items()],
        "images": [],
        "annotations": [],
    }
    for video in videos:
        for index, (frame, labels) in enumerate(zip(video.frames, video.masks(), strict=True)):
            file = f"{video.name}/{frame}.jpg"
            image = {"id": len(data["images"]) + 1, "file_name": file, "width": video.width, "height": video.height}
            data["images"].append({**image, "video": video.name, "frame_index": index})
            for each in video.objects if labels is not None else ():
                mask: BinaryMask = np.asarray(labels == each.id)
                area, box = area_and_box(mask)
                if area:
                    data["annotations"].append(
                        {
                            "id": len(data["annotations"]) + 1,
                            "image_id": image["id"],
                            "category_id": numbers[each.category],
                            "track_id": each.id,
                            "iscrowd": 0,
                            "area": area,
                            "bbox": box,
                            "segmentation": encode_rle(mask),
                        }
                    )
            tick()
    return data


def read_coco(data: dict[str, Any]) -> dict[str, LabelMap]:
    """Return the mask, uint8 [H, W], of each image of a COCO file, by the image's `file_name`.

    The id of an object is its `track_id` if there is one, otherwise its position (1, 2, ...) among the annotations of
    the image. Where two objects overlap, the pixels belong to that of the later annotation in the file.

    Raises:
        AnnotationError: the content is damaged or is not what COCO prescribes.
    """
    found: dict[int, Any] = {}
    for at, annotation in enumerate(field(data, "annotations", list, "file")):
        found.setdefault(field(annotation, "image_id", int, f"annotations[{at}]"), []).append((at, annotation))
    maps = {}
    for at, image in enumerate(field(data, "images", list, "file")):
        place = f"images[{at}]"
        width, height = field(image, "width", int, place), field(image, "height", int, place)
        if not (width > 0 and height > 0 and width * height <= MOST_PIXELS):
            raise AnnotationError(f"{place}: {width} x {height} is no size of a frame")
        labels = np.zeros((height, width), np.uint8)
        for order, (number, annotation) in enumerate(found.get(field(image, "id", int, place), []), 1):
            track = annotation.get("track_id", order)
            where = f"annotations[{number}]"
            if not isinstance(track, int) or not 0 < track <= MAX_OBJECTS:
                raise AnnotationError(f"{where}.track_id: expected a whole number in 1..{MAX_OBJECTS}")
            labels[_inside(annotation, where, height, width)] = track
        maps[field(image, "file_name", str, place)] = labels
    return maps


def _inside(annotation: Any, place: str, height: int, width: int) -> Any:
    return at_place(
        f"{place}.segmentation",
        lambda: decode_segmentation(annotation.get("segmentation"), height, width),
        MaskError,
    )
