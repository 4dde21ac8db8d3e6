"""Reads and writes the JSON files of labelme and X-AnyLabeling, one for each image: polygons, and masks in a box."""

from __future__ import annotations

import base64
import binascii
import io
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from PIL import Image

from segmentation.formats.annotated_video import AnnotatedVideo, check_frame_size
from segmentation.formats.coco_rle import BinaryMask, decode_segmentation
from segmentation.formats.json_file import AnnotationError, field
from segmentation.formats.label_png import MaskError
from segmentation.formats.mask_image import UNREADABLE
from segmentation.formats.object_masks import ObjectMask, object_masks
from segmentation.formats.shape_frames import Shape, ShapeFrame
from segmentation.types import LabelMap

VERSION = "5.4.1"  # The version of labelme whose files are written; masks in a box came with 5.3.


def labelme_data(video: AnnotatedVideo, frame: str, labels: LabelMap) -> dict[str, Any]:
    """Return the content of the file of one frame, which lies beside the image <frame>.jpg.

    Each object is a mask in its box. Its `group_id` is its id in the video, and its `description` is its name.
    """
    return {
        "version": VERSION,
        "flags": {},
        "shapes": [_mask_shape(mask) for mask in object_masks(video, labels)],
        "imagePath": f"{frame}.jpg",
        "imageData": None,
        "imageHeight": video.height,
        "imageWidth": video.width,
    }


def _mask_shape(mask: ObjectMask) -> dict[str, Any]:
    x, y, width, height = mask.box
    buffer = io.BytesIO()
    Image.fromarray(mask.part).save(buffer, "PNG")
    return {
        "label": mask.object.category,
        "points": [[x, y], [x + width - 1, y + height - 1]],
        "group_id": mask.object.id,
        "description": mask.object.name,
        "shape_type": "mask",
        "flags": {},
        "mask": base64.b64encode(buffer.getvalue()).decode("ascii"),
    }


def read_labelme(data: dict[str, Any], path: str) -> ShapeFrame:
    """Read the content of the file at `path`. Shapes with the same `group_id` are one object in all images.

    Raises:
        AnnotationError: the content is damaged, or has shapes other than polygons and masks.
    """
    width, height = field(data, "imageWidth", int, path), field(data, "imageHeight", int, path)
    check_frame_size(width, height, path)
    shapes = [
        _shape(each, f"{path}: shapes[{at}]", width, height)
        for at, each in enumerate(field(data, "shapes", list, path))
    ]
    return ShapeFrame(path, PurePosixPath(path).stem, width, height, shapes)


def _shape(data: Any, place: str, width: int, height: int) -> Shape:
    label, kind = field(data, "label", str, place), data.get("shape_type", "polygon")
    group = data.get("group_id")
    if not isinstance(group, int | None) or isinstance(group, bool):
        raise AnnotationError(f"{place}.group_id: expected a whole number")
    points = field(data, "points", list, place)
    if not all(isinstance(point, list) and len(point) == 2 for point in points):
        raise AnnotationError(f"{place}.points: expected pairs [x, y]")
    flat = [value for point in points for value in point]
    if kind == "mask":
        text = field(data, "mask", str, place)
        return Shape(label, group, lambda: _in_box(text, flat, width, height))
    if kind != "polygon":
        raise AnnotationError(f"{place}: it is a {str(kind)[:40]}; only polygons and masks are read")
    return Shape(label, group, lambda: decode_segmentation([flat], height, width))


def _in_box(text: str, corners: list[Any], width: int, height: int) -> BinaryMask:
    """Return the pixels of a mask, a PNG in base64, whose upper left corner lies at the first of two corners.

    Raises MaskError if it cannot be read or does not lie inside the image.
    """
    if len(corners) != 4 or not all(isinstance(value, int | float) and abs(value) < 1e6 for value in corners):
        raise MaskError("a mask has two corners")
    x, y = round(corners[0]), round(corners[1])
    try:
        with Image.open(io.BytesIO(base64.b64decode(text, validate=True)), formats=["PNG"]) as image:
            if x < 0 or y < 0 or x + image.width > width or y + image.height > height:
                raise MaskError("the mask does not lie inside the image")
            part = np.asarray(image.convert("L")) > 0
    except (*UNREADABLE, binascii.Error) as error:
        if isinstance(error, MaskError):
            raise
        raise MaskError("the mask cannot be read as a PNG") from None
    mask = np.zeros((height, width), bool)
    mask[y : y + part.shape[0], x : x + part.shape[1]] = part
    return mask
