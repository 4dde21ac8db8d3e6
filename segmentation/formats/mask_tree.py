"""Reads masks that lie as image files in folders.

These are label PNG files of DAVIS, YouTube-VOS and PASCAL VOC, and folders of black-and-white PNG files of objects.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath

import numpy as np
from PIL import Image

from segmentation.formats.annotated_video import (
    AnnotatedObject,
    AnnotatedVideo,
    blank_mask,
    check_frame_size,
    check_object_count,
    folder_titles,
)
from segmentation.formats.davis_layout import (
    FRAMES,
    MASK_SUFFIXES,
    RESOLUTION,
    class_mask_folders,
    mask_folders,
    same_name,
)
from segmentation.formats.file_tree import FileTree, natural
from segmentation.formats.json_file import AnnotationError, at_place, parse_json
from segmentation.formats.label_png import MaskError
from segmentation.formats.mask_files import MaskFiles
from segmentation.formats.mask_image import UNREADABLE
from segmentation.formats.object_table import read_object_table, read_youtube_vos_meta
from segmentation.formats.pascal_voc import CLASSES, LABELMAP, class_video, read_labelmap, voc_video
from segmentation.types import LabelMap

OBJECT_FOLDER = re.compile(r"([0-9]{1,3})[-_ ].+")  # The folders of an export with a PNG for each object.
Objects = tuple[AnnotatedObject, ...]


def read_mask_tree(files: FileTree) -> list[AnnotatedVideo]:
    """Read the masks of all videos in a tree of files; none if there is no mask file.

    Masks are named after their frames. Without a folder Annotations, SegmentationObject or SegmentationClass, each
    folder with images (not below JPEGImages) is a video. If all of them are named like 001-name, each holds the masks
    of one object, and the folder above it is the video. Ids, names, labels and absent spans come from objects.json,
    objects/<video>.json or meta.json, where there is one. Masks are decoded only when `AnnotatedVideo.masks` is called.

    Raises:
        AnnotationError: a file is damaged; the message names it.
    """
    tables = _Tables(files)
    folders, classes = mask_folders(files.names), class_mask_folders(files.names)
    if folders or classes:
        found = [_of_folder(files, name, paths, classes.get(name, []), tables) for name, paths in folders.items()]
        names = _class_names(files) if classes else {}
        alone = {name: paths for name, paths in classes.items() if name not in folders}
        return found + [class_video(name, paths, _label_map(files, paths), names) for name, paths in alone.items()]
    images = [name for name in files.names if _is_image(name) and FRAMES not in name.casefold().split("/")]
    videos: dict[str, list[str]] = {}
    for name in sorted(images, key=natural):
        videos.setdefault(str(PurePosixPath(name).parent), []).append(name)
    by_object = {folder for folder in videos if OBJECT_FOLDER.fullmatch(PurePosixPath(folder).name)}
    if by_object and len(by_object) == len(videos):
        roots: dict[str, dict[str, list[str]]] = {}
        for folder, paths in videos.items():
            roots.setdefault(str(PurePosixPath(folder).parent), {})[folder] = paths
        titles = _titles(roots)
        return [_of_objects(files, titles[root], found, tables) for root, found in roots.items()]
    titles = _titles(videos)
    return [_labelled(files, titles[folder], paths, tables.of(titles[folder])) for folder, paths in videos.items()]


def _titles(folders: Iterable[str]) -> dict[str, str]:
    """Return the names of the videos whose masks lie in these folders, by folder; "" if a folder does not tell.

    Folders of resolutions do not count. Raises AnnotationError if two folders have the masks of one name then.
    """
    places: dict[str, str] = {}  # The folders without those of resolutions, and for each the folder that was given.
    for folder in folders:
        place = "/".join(part for part in PurePosixPath(folder).parts if not RESOLUTION.fullmatch(part))
        if place in places:
            raise same_name(places[place], folder)
        places[place] = folder
    titles = folder_titles(places)
    return {folder: titles[place] for place, folder in places.items()}


def _is_image(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in MASK_SUFFIXES


@dataclass
class _Tables:
    """The files that list the objects of each video with labels, such as the meta.json of a split of YouTube-VOS."""

    files: FileTree
    _meta: dict[str, Objects] = field(init=False)
    # The paths of objects.json by the name of the video or the whole path of its folder, "" for the only one.
    _paths: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self._meta, self._paths = {}, {}
        for name in self.files.names:
            path = PurePosixPath(name)
            if path.name.casefold() == "objects.json":
                self._paths[path.parent.name] = self._paths[str(path.parent)] = name
            elif path.parent.name.casefold() == "objects" and path.suffix == ".json":
                self._paths[path.stem] = name
            elif path.name.casefold() == "meta.json":
                data = at_place(name, lambda name=name: parse_json(self.files.read(name)), AnnotationError)  # type: ignore[misc]
                if "videos" in data:
                    self._meta.update(read_youtube_vos_meta(data, name))

    def of(self, video: str) -> Objects:
        """Return the objects of a video; none if no table is there."""
        path = self._paths.get(video) or self._paths.get("")
        if path is None:
            return self._meta.get(video, ())
        return read_object_table(at_place(path, lambda: parse_json(self.files.read(path)), AnnotationError), path)


def _of_folder(files: FileTree, name: str, paths: list[str], classes: list[str], tables: _Tables) -> AnnotatedVideo:
    """Return a video from a folder of masks. `classes` are the masks of classes of PASCAL VOC beside it."""
    objects = tables.of(name)
    if objects or not classes:
        return _labelled(files, name, paths, objects)
    by_stem = {PurePosixPath(path).stem: path for path in classes}
    stems = {path: PurePosixPath(path).stem for path in paths}
    beside = {path: by_stem[stem] for path, stem in stems.items() if stem in by_stem}
    read, read_classes = _label_map(files, paths), _label_map(files, classes)
    return voc_video(name, paths, read, beside, read_classes, _class_names(files))


def _class_names(files: FileTree) -> dict[int, str]:
    """Return the names of the classes in a file labelmap.txt by number; without such a file, those of PASCAL VOC."""
    path = next((name for name in files.names if PurePosixPath(name).name.casefold() == LABELMAP), None)
    return dict(CLASSES) if path is None else read_labelmap(files.read(path).decode("utf-8", "replace"))


def _label_map(files: FileTree, paths: list[str]) -> Callable[[str], LabelMap]:
    """Return a function that reads the mask at one of `paths`, those of one video. Its errors name the file."""
    masks = MaskFiles(tuple(paths), _reader(files), str)
    return lambda path: at_place("masks", lambda: masks.labels(path), MaskError)


def _labelled(files: FileTree, name: str, paths: list[str], objects: Objects) -> AnnotatedVideo:
    """Return a video from label maps, one file a frame."""
    read = _label_map(files, paths)
    width, height = _size(files.read(paths[0]), paths[0])
    stems = tuple(PurePosixPath(path).stem for path in paths)
    return AnnotatedVideo(name, width, height, 24.0, stems, objects, lambda: (read(path) for path in paths))


def _of_objects(files: FileTree, name: str, folders: dict[str, list[str]], tables: _Tables) -> AnnotatedVideo:
    """Return a video from folders of black-and-white masks, one folder an object, called 001-name.

    Raises AnnotationError if two folders have the same number, or one has none in 1..254.
    """
    known = {each.id: each for each in tables.of(name)}
    ids: dict[str, int] = {}
    for folder in folders:
        found = OBJECT_FOLDER.fullmatch(PurePosixPath(folder).name)
        assert found is not None
        ids[folder] = int(found[1])
        if not 0 < ids[folder] < 255 or list(ids.values()).count(ids[folder]) > 1:
            raise AnnotationError(f"{folder}: expected a number of its own, 1 to 254, at the front")
    check_object_count(len(ids), name or "file")
    objects = tuple(
        known.get(number, AnnotatedObject(number, PurePosixPath(folder).name.split("-", 1)[-1]))
        for folder, number in ids.items()
    )
    by_stem: dict[str, list[tuple[int, str]]] = {}
    for folder, paths in folders.items():
        for path in paths:
            by_stem.setdefault(PurePosixPath(path).stem, []).append((ids[folder], path))
    stems = tuple(sorted(by_stem, key=natural))
    first = by_stem[stems[0]][0][1]
    width, height = _size(files.read(first), first)

    def masks() -> Iterator[LabelMap | None]:
        for stem in stems:
            labels = blank_mask(width, height)
            for number, path in by_stem[stem]:
                inside = _binary(files, path)
                if inside.shape != labels.shape:
                    raise AnnotationError(f"{path}: its size differs from that of the first mask")
                labels[inside] = number
            yield labels

    return AnnotatedVideo(name, width, height, 24.0, stems, objects, masks)


def _binary(files: FileTree, path: str) -> np.ndarray:
    data = files.read(path)
    _size(data, path)
    try:
        with Image.open(io.BytesIO(data)) as image:
            return np.asarray(image.convert("L")) >= 128
    except UNREADABLE:
        raise AnnotationError(f"{path}: it cannot be read as a picture") from None


def _reader(files: FileTree) -> Callable[[str], bytes]:
    """Return a function that reads a mask file.

    It raises AnnotationError if the file is no picture or has too many pixels.
    """

    def read(path: str) -> bytes:
        data = files.read(path)
        _size(data, path)
        return data

    return read


def _size(data: bytes, path: str) -> tuple[int, int]:
    """Return width and height of an image file, without decoding a pixel.

    Raises AnnotationError if it is no picture or has too many pixels.
    """
    try:
        with Image.open(io.BytesIO(data)) as image:
            size = image.size
    except UNREADABLE:
        raise AnnotationError(f"{path}: it cannot be read as a picture") from None
    check_frame_size(*size, path)
    return size
