"""Reads the JSON files of labelme and X-AnyLabeling, one for each image: polygons, and masks in a box."""

from __future__ import annotations

import base64
import binascii
import io
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from PIL import Image

from segmentation.formats.annotated_video import check_frame_size
from segmentation.formats.coco_rle import BinaryMask, decode_segmentation
from segmentation.formats.json_file import AnnotationError, field
from segmentation.formats.label_png import MaskError
from segmentation.formats.mask_image import UNREADABLE
from segmentation.formats.shape_frames import Shape, ShapeFrame


def read_labelme(data: dict[str, Any], path: str) -> ShapeFrame:
    """Read the content of the file at `path`. Objects with the same `group_id` are one object in all images.

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
    """Return the pixels of a mask, a PNG in base64, whose upper left corner lies at the first of two corners."""
    if len(corners) != 4 or not all(isinstance(value, int | float) and abs(value) < 1e6 for value in corners):
        raise MaskError("a mask has two corners")
    x, y = round(corners[0]), round(corners[1])
    try:
        with Image.open(io.BytesIO(base64.b64decode(text, validate=True)), formats=["PNG"]) as image:
            if x < 0 or y < 0 or x + image.width > width or y + image.height > height:
                raise MaskError("the mask does not lie inside the image")
            part = np.asarray(image.convert("L")) > 0
    except (*UNREADABLE, binascii.Error, Image.DecompressionBombError) as error:
        if isinstance(error, MaskError):
            raise
        raise MaskError("the mask cannot be read as a PNG") from None
    mask = np.zeros((height, width), bool)
    mask[y : y + part.shape[0], x : x + part.shape[1]] = part
    return mask
