"""The numbers of classes in export formats that have numbers of their own for them."""

from __future__ import annotations

from collections.abc import Mapping

from segmentation.formats.annotated_video import AnnotatedVideo
from segmentation.formats.class_numbers import class_numbers
from segmentation.formats.json_file import AnnotationError
from webapp.videos.refusal import Refused


def numbers_of_classes(videos: list[AnnotatedVideo], known: Mapping[int, str], first: int, most: int) -> dict[str, int]:
    """Return the numbers of the categories of `videos` as `class_numbers` does. Raises Refused for too many."""
    try:
        return class_numbers(videos, known, first, most)
    except AnnotationError as error:
        raise Refused("too_many_labels", f"{error}.") from None
