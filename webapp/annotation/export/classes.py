"""Numbers the classes of objects for export formats that store a number and not a name for each class."""

from __future__ import annotations

from collections.abc import Mapping

from segmentation.formats.annotated_video import AnnotatedVideo
from segmentation.formats.class_numbers import class_numbers
from segmentation.formats.json_file import AnnotationError
from webapp.videos.refusal import Refused


def numbers_of_classes(videos: list[AnnotatedVideo], known: Mapping[int, str], first: int, most: int) -> dict[str, int]:
    """Return the number of each class that objects of `videos` have, by its name.

    `known` has the names of the classes whose numbers are fixed. Other classes get numbers from `first` on, and `most`
    is the largest number that the format can hold.

    Raises Refused if there are more classes than the format can hold.
    """
    try:
        return class_numbers(videos, known, first, most)
    except AnnotationError as error:
        raise Refused("too_many_labels", f"{error}.") from None
