"""The numbers that formats give to classes: those that a data set has agreed on, and free ones for all others."""

from __future__ import annotations

from collections.abc import Mapping

from segmentation.formats.annotated_video import AnnotatedVideo, categories
from segmentation.formats.json_file import AnnotationError


def class_numbers(videos: list[AnnotatedVideo], known: Mapping[int, str], first: int, most: int) -> dict[str, int]:
    """Return the number of each category that the objects of `videos` have, by its name.

    Args:
        videos: the videos of one file.
        known: the names of the classes of the data set by their numbers.
        first: the first number of other classes.
        most: the largest number that the format can hold.

    Raises:
        AnnotationError: there are more categories outside `known` than the format has numbers for.
    """
    fixed = {name.casefold(): number for number, name in known.items()}
    numbers, free = {}, first
    for name in categories(videos):
        number = fixed.get(name.casefold())
        if number is None:
            number, free = free, free + 1
        numbers[name] = number
    if free > most + 1:
        raise AnnotationError(
            f"This format holds {most + 1 - first} labels of your own, and the objects have {free - first}. "
            "Export fewer labels, or choose another format"
        )
    return numbers


def class_lines(numbers: Mapping[str, int]) -> str:
    """Return the content of a file classes.txt: a line `number name` for each class."""
    return "".join(f"{number} {name}\n" for name, number in sorted(numbers.items(), key=lambda row: row[1]))
