"""Writes masks in CVAT's XML for images. The module `cvat_video` reads this XML, and also the XML for videos."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

from segmentation.formats.annotated_video import AnnotatedVideo
from segmentation.formats.cvat_video import mask_attributes
from segmentation.formats.object_masks import object_masks


def cvat_images_xml(videos: list[AnnotatedVideo], tick: Any = lambda: None) -> Iterator[bytes]:
    """Yield the bytes of a CVAT XML file of those frames of `videos` that have a mask, frame by frame. `tick` is called
    after each frame.

    The `group_id` of a mask is the id of its object in the video. Images are called <video>/<frame>.jpg.
    """
    yield b"<?xml version='1.0' encoding='utf-8'?>\n<annotations><version>1.1</version>"
    images = 0
    for video in videos:
        for frame, labels in zip(video.frames, video.masks(), strict=True):
            if labels is not None:
                size = {"width": str(video.width), "height": str(video.height)}
                name = f"{video.name}/{frame}.jpg"
                image = ElementTree.Element("image", {"id": str(images), "name": name, **size})
                images += 1
                for mask in object_masks(video, labels):
                    known = {"label": mask.object.category, "group_id": str(mask.object.id)}
                    rest = {"source": "manual", "occluded": "0", "z_order": "0"}
                    ElementTree.SubElement(image, "mask", {**known, **rest, **mask_attributes(mask)})
                yield bytes(ElementTree.tostring(image, encoding="utf-8", xml_declaration=False))
            tick()
    yield b"</annotations>"
