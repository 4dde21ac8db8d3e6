"""Writes the outlines of masks as GeoJSON and SVG. They run along the borders of pixels, so that the masks can be
restored exactly.

Coordinates are pixels: (0, 0) is the upper left corner of the frame, and y grows downward.
"""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

from segmentation.formats.annotated_video import AnnotatedVideo
from segmentation.formats.contours import Ring, trace
from segmentation.formats.object_masks import ObjectMask, object_masks
from segmentation.types import LabelMap

Point = tuple[int, int]


def geojson_features(video: AnnotatedVideo, index: int, frame: str, labels: LabelMap) -> list[dict[str, Any]]:
    """Return the objects of a frame as features of GeoJSON: a MultiPolygon each, whose polygons can have holes.

    `index` and `frame` are the index and the name of the frame, and `labels` is its mask, uint8 [H, W].
    """
    features = []
    for mask in object_masks(video, labels):
        each = mask.object
        known = {"frame": index, "frame_name": frame, "id": each.id, "name": each.name, "label": each.label}
        polygons = [[_closed(ring) for ring in rings] for rings in _polygons(mask)]
        geometry = {"type": "MultiPolygon", "coordinates": polygons}
        features.append({"type": "Feature", "properties": known, "geometry": geometry})
    return features


def svg_bytes(video: AnnotatedVideo, labels: LabelMap) -> bytes:
    """Return an SVG of the size of the frame with a path for each object, in its colour, called object-<id>."""
    size = {"width": str(video.width), "height": str(video.height)}
    box = f"0 0 {video.width} {video.height}"
    root = ElementTree.Element("svg", {"xmlns": "http://www.w3.org/2000/svg", "viewBox": box, **size})
    for mask in object_masks(video, labels):
        each = mask.object
        outline = "".join(_path(ring) for rings in _polygons(mask) for ring in rings)
        known = {"id": f"object-{each.id}", "class": each.category, "fill": each.color or "#000000"}
        path = ElementTree.SubElement(root, "path", {**known, "fill-rule": "evenodd", "d": outline})
        ElementTree.SubElement(path, "title").text = each.name
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True))


def _polygons(mask: ObjectMask) -> list[list[Ring]]:
    """Return the polygons of an object: each is an outline, followed by those of its holes."""
    x, y = mask.box[:2]
    return [
        [[(x + column, y + row) for column, row in ring] for ring in (region.outline, *region.holes)]
        for region in trace(mask.part)
    ]


def _closed(ring: Ring) -> list[Point]:
    return [*ring, ring[0]]


def _path(ring: Ring) -> str:
    """Return the commands of a path of SVG for an outline, whose first side is horizontal."""
    (x, y), rest = ring[0], ring[1:]
    steps = "".join(f"H{point[0]}" if at % 2 == 0 else f"V{point[1]}" for at, point in enumerate(rest))
    return f"M{x} {y}{steps}Z"
