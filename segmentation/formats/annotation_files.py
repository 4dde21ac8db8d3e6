"""Reads mask files of any known format: finds out which format it is, and returns the videos with their masks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import PurePosixPath
from typing import Any, TypeVar

from segmentation.formats import cityscapes, mots
from segmentation.formats.annotated_video import AnnotatedVideo, folder_titles
from segmentation.formats.cityscapes import read_cityscapes
from segmentation.formats.coco_instances import read_coco_videos
from segmentation.formats.cvat_video import read_cvat_xml
from segmentation.formats.datumaro import read_datumaro
from segmentation.formats.file_tree import FileTree, natural
from segmentation.formats.json_file import AnnotationError, at_place, parse_any_json
from segmentation.formats.label_png import MaskError
from segmentation.formats.label_studio import read_label_studio
from segmentation.formats.labelme import read_labelme
from segmentation.formats.mask_tree import read_mask_tree
from segmentation.formats.mots import read_mots_pngs, read_mots_text
from segmentation.formats.npz_file import read_npz
from segmentation.formats.shape_frames import ShapeFrame, video_of_shapes
from segmentation.formats.youtube_vis import read_youtube_vis
from segmentation.types import LabelMap

T = TypeVar("T")
LABELME = frozenset({"shapes", "imageHeight", "imageWidth"})  # The fields by which a file of labelme is known.
BESIDE = frozenset({"objects.json", "meta.json", "manifest.json"})  # JSON files that hold no masks
ARCHIVES = (".zip", ".npz", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar")
MOTS_LINE = re.compile(rb"\s*[0-9]+ [0-9]+ [0-9]+ [0-9]+ [0-9]+ \S+\s*(\n|$)")
KNOWN = (
    "Known are DAVIS, YouTube-VOS, PASCAL VOC, a PNG for each object, YouTube-VIS, COCO, MOTS, "
    "Cityscapes, CVAT XML, Datumaro, labelme, Label Studio and npz files"
)


@dataclass(frozen=True)
class Annotations:
    """The content of annotation files: the name of their format, and the videos."""

    format: str
    videos: list[AnnotatedVideo]


def read_annotations(files: FileTree) -> Annotations:
    """Read the masks in a tree of files, which may be a single file. Masks are decoded by `AnnotatedVideo.masks`.

    Raises:
        AnnotationError: no file has masks, or one is damaged; the message names it.
    """
    for find in (_find_npz, _find_cvat, _find_mots_text, _find_cityscapes, _find_mots_pngs, _find_json, _find_images):
        found = find(files)
        if found.videos:
            return found
    inner = next((name for name in files.names if name.lower().endswith(ARCHIVES)), None)
    if inner is not None:
        raise AnnotationError(f"{inner} is an archive inside of the file, which is not read: unpack it first")
    raise AnnotationError(f"there are no masks inside that can be read. {KNOWN}")


def _with_suffix(files: FileTree, suffix: str) -> list[str]:
    return sorted((name for name in files.names if name.lower().endswith(suffix)), key=natural)


def _find_npz(files: FileTree) -> Annotations:
    return Annotations("npz", read_npz(files))


def _find_images(files: FileTree) -> Annotations:
    return Annotations("png", read_mask_tree(files))


def _find_cvat(files: FileTree) -> Annotations:
    # The XML files of PASCAL VOC, which hold boxes, lie beside masks.
    found = [name for name in _with_suffix(files, ".xml") if b"<annotations" in files.read(name)[:2000]]
    videos = [video for name in found for video in _videos_in(name, lambda name=name: read_cvat_xml(files.read(name)))]  # type: ignore[misc]
    return Annotations("cvat", videos)


def _find_mots_text(files: FileTree) -> Annotations:
    texts = [name for name in _with_suffix(files, ".txt") if MOTS_LINE.match(files.read(name)[: 1 << 20])]
    videos = [video for name in texts for video in _videos_in(name, lambda name=name: [_mots_video(files, name)])]  # type: ignore[misc]
    return Annotations("mots", videos)


def _mots_video(files: FileTree, name: str) -> AnnotatedVideo:
    lines = files.read(name).decode("utf-8", "replace").splitlines()
    return read_mots_text(lines, PurePosixPath(name).stem, _classes(files, mots.CLASSES))


def _find_cityscapes(files: FileTree) -> Annotations:
    return Annotations("cityscapes", read_cityscapes(files, _classes(files, cityscapes.CLASSES)))


def _find_mots_pngs(files: FileTree) -> Annotations:
    folders: dict[str, list[str]] = {}
    for name in _with_suffix(files, ".png"):
        if "instances" in PurePosixPath(name).parts[:-2]:
            folders.setdefault(str(PurePosixPath(name).parent), []).append(name)
    classes = _classes(files, mots.CLASSES)
    videos = [read_mots_pngs(paths, files.read, PurePosixPath(at).name, classes) for at, paths in folders.items()]
    return Annotations("mots", videos)


def _classes(files: FileTree, usual: Mapping[int, str]) -> dict[int, str]:
    """Return the names of the classes in classes.txt, which Maskwright writes: a line `id name` for each class.

    Without such a file they are `usual`.
    """
    name = next((name for name in files.names if PurePosixPath(name).name == "classes.txt"), None)
    if name is None:
        return dict(usual)
    rows = (line.split(" ", 1) for line in files.read(name).decode("utf-8", "replace").splitlines())
    return {int(row[0]): row[1].strip() for row in rows if len(row) == 2 and re.fullmatch("[0-9]{1,5}", row[0])}


# The name of each format in JSON, the fields by which it is known, and its reader.
JSON_FORMATS: tuple[tuple[str, frozenset[str], Callable[[dict[str, Any]], list[AnnotatedVideo]]], ...] = (
    ("youtube-vis", frozenset({"videos", "annotations"}), read_youtube_vis),
    ("coco", frozenset({"images", "annotations"}), read_coco_videos),
    ("datumaro", frozenset({"categories", "items"}), read_datumaro),
)


def _find_json(files: FileTree) -> Annotations:
    found = Annotations("", [])
    images: dict[str, list[ShapeFrame]] = {}  # The files of labelme, one for each image, by folder.
    for name in _with_suffix(files, ".json"):
        path = PurePosixPath(name)
        if path.name.casefold() in BESIDE or path.parent.name.casefold() in ("objects", "scribbles"):
            continue
        data = _at(name, lambda name=name: parse_any_json(files.read(name)))  # type: ignore[misc]
        if isinstance(data, list):
            videos = _videos_in(name, lambda data=data: read_label_studio(data))  # type: ignore[misc]
            found = Annotations("label-studio", [*found.videos, *videos])
            continue
        if not isinstance(data, dict):
            raise AnnotationError(f"{name}: expected a JSON object")
        if data.keys() >= LABELME:
            images.setdefault(str(path.parent), []).append(read_labelme(data, name))
        known = next(((title, read) for title, keys, read in JSON_FORMATS if keys <= data.keys()), None)
        if known is not None:
            title, read = known
            videos = _videos_in(name, lambda read=read, data=data: read(data))  # type: ignore[misc]
            found = Annotations(title, [*found.videos, *videos])
    if images and not found.videos:
        titles = folder_titles(images)
        return Annotations("labelme", [video_of_shapes(titles[at], frames) for at, frames in images.items()])
    return found


def _videos_in(name: str, read: Callable[[], list[AnnotatedVideo]]) -> list[AnnotatedVideo]:
    """Return the videos of one file. Every error message begins with its name, also when masks are read later."""

    def with_name(masks: Callable[[], Iterator[LabelMap | None]]) -> Iterator[LabelMap | None]:
        try:
            yield from masks()
        except AnnotationError as error:
            raise AnnotationError(f"{name}: {error}") from None

    return [replace(video, masks=partial(with_name, video.masks)) for video in _at(name, read)]


def _at(name: str, read: Callable[[], T]) -> T:
    return at_place(name, read, AnnotationError, MaskError)
