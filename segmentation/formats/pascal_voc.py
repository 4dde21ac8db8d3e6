"""Reads and writes what PASCAL VOC has beside masks of objects: masks of classes, and the names of the classes.

SegmentationObject numbers the objects of each image by itself; SegmentationClass has the class of each pixel.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath

import numpy as np

from segmentation.formats.annotated_video import AnnotatedObject, AnnotatedVideo, check_object_count
from segmentation.formats.json_file import AnnotationError
from segmentation.formats.label_png import davis_palette
from segmentation.types import IGNORE, LabelMap

CLASSES = dict(
    enumerate(
        (
            "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow", "diningtable", "dog",
            "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor",
        ),
        1,
    )
)  # fmt: skip
MOST_CLASSES = 254
LABELMAP = "labelmap.txt"
LINE = re.compile(r"([^#:][^:]*):(\d{1,3}),(\d{1,3}),(\d{1,3}):")


def class_map(labels: LabelMap, video: AnnotatedVideo, numbers: Mapping[str, int]) -> LabelMap:
    """Return the mask of classes, uint8 [H, W], for a mask of objects.

    `numbers` maps the name of each class to its number in the mask of classes.
    """
    table = np.zeros(256, np.uint8)
    for each in video.objects:
        table[each.id] = numbers[each.category]
    return np.asarray(table[labels])


def labelmap_text(numbers: Mapping[str, int]) -> str:
    """Return the content of a labelmap.txt, as CVAT writes it: the colour of each class in the palette."""
    rows = [("background", 0), *sorted(numbers.items(), key=lambda row: row[1])]
    lines = [f"{name.replace(':', ' ')}:{','.join(map(str, davis_palette()[number]))}::" for name, number in rows]
    return "\n".join(["# label:color_rgb:parts:actions", *lines, ""])


def read_labelmap(text: str) -> dict[int, str]:
    """Return the names of the classes in a labelmap.txt by the index of their colour in the palette."""
    indexes = {tuple(color): index for index, color in enumerate(davis_palette().tolist())}
    found = {}
    for line in text.splitlines():
        match = LINE.match(line.strip())
        index = indexes.get((int(match[2]), int(match[3]), int(match[4]))) if match else None
        if match and index:
            found[index] = match[1]
    return found


def voc_video(
    name: str,
    paths: Sequence[str],
    read: Callable[[str], LabelMap],
    classes_of: Mapping[str, str],
    read_classes: Callable[[str], LabelMap],
    names: Mapping[int, str],
) -> AnnotatedVideo:
    """Return the video of masks of objects whose classes are known from other masks.

    The ids of objects stay if each has the same class in all frames that have a mask of classes. Otherwise the ids of
    different frames are not related, and objects are matched by class and position: the second car of each frame
    becomes one object.

    Args:
        name: the name of the video.
        paths: the masks of objects, in the order of the frames.
        read: returns the mask of objects, uint8 [H, W], at a path.
        classes_of: the path of the mask of classes for each path that has one.
        read_classes: returns the mask of classes, uint8 [H, W], at a path.
        names: the names of the classes by number.

    Raises:
        AnnotationError: a mask is damaged, its mask of classes has another size, or there are too many objects.
    """
    found: list[dict[int, int]] = []  # The class of each object in each frame; 0 where no class is known.
    size = (0, 0)
    for path in paths:
        labels = read(path)
        classes = read_classes(classes_of[path]) if path in classes_of else np.zeros_like(labels)
        if classes.shape != labels.shape:
            raise AnnotationError(f"{classes_of[path]}: its size differs from that of {path}")
        size = (labels.shape[1], labels.shape[0])
        found.append(_classes_in(labels, classes))
    tables, labels_of = _numbered(found, names)
    check_object_count(len(labels_of), f"video {name!r}" if name else "file")

    def masks() -> Iterator[LabelMap | None]:
        for path, table in zip(paths, tables, strict=True):
            yield table[read(path)]

    objects = tuple(AnnotatedObject(number, "", label) for number, label in sorted(labels_of.items()))
    stems = tuple(PurePosixPath(path).stem for path in paths)
    return AnnotatedVideo(name, *size, 24.0, stems, objects, masks)


def class_video(
    name: str, paths: Sequence[str], read: Callable[[str], LabelMap], names: Mapping[int, str]
) -> AnnotatedVideo:
    """Return the video of masks that show only classes: each class becomes one object. `read` returns the mask at a
    path.

    Raises AnnotationError if a mask is damaged.
    """
    present: set[int] = set()
    size = (0, 0)
    for path in paths:
        labels = read(path)
        size = (labels.shape[1], labels.shape[0])
        present.update(np.unique(labels).tolist())
    objects = [AnnotatedObject(each, "", names.get(each, f"class {each}")) for each in sorted(present - {0, IGNORE})]
    stems = tuple(PurePosixPath(path).stem for path in paths)
    return AnnotatedVideo(name, *size, 24.0, stems, tuple(objects), lambda: (read(path) for path in paths))


def _classes_in(labels: LabelMap, classes: LabelMap) -> dict[int, int]:
    """Return the class that most pixels of each object have, by object id; 0 for an object without a class.

    Pixels without a class do not count.
    """
    counts = np.bincount(labels.astype(np.uint16).ravel() * 256 + classes.ravel(), minlength=1 << 16).reshape(256, 256)
    present = np.flatnonzero(counts.any(axis=1)).tolist()
    counts[:, [0, IGNORE]] = 0
    return {each: int(counts[each].argmax()) for each in present if each not in (0, IGNORE)}


def _numbered(
    found: list[dict[int, int]], names: Mapping[int, str]
) -> tuple[list[np.ndarray[tuple[int], np.dtype[np.uint8]]], dict[int, str]]:
    """Return, for each frame, the object id in the video for each value of its mask, and the label of each object.

    If each value has one class in all frames, it also has this class in frames in which its class is not known (0).
    """
    pairs = {(number, class_) for classes in found for number, class_ in classes.items() if class_}
    known = dict(pairs)
    stable = len(known) == len(pairs)
    ids: dict[tuple[int, int], int] = {}
    tables = []
    for classes in found:
        table = np.zeros(256, np.uint8)
        table[IGNORE] = IGNORE
        counts: dict[int, int] = {}
        for number, class_ in sorted(classes.items()):
            counts[class_] = counts.get(class_, 0) + 1
            key = (known.get(number, 0), number) if stable else (class_, counts[class_])
            # More objects than a mask can hold are refused by the caller.
            table[number] = ids.setdefault(key, number if stable else min(len(ids) + 1, IGNORE))
        tables.append(table)
    labels = {number: names.get(class_, f"class {class_}") if class_ else "" for (class_, _), number in ids.items()}
    return tables, labels
