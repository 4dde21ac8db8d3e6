"""Reads masks from the arrays of an npz file: `<video>/<frame>` is the label map of a frame."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from segmentation.formats.annotated_video import AnnotatedObject, AnnotatedVideo, check_frame_size
from segmentation.formats.file_tree import FileTree, natural
from segmentation.formats.json_file import AnnotationError, at_place, parse_json
from segmentation.formats.object_table import read_object_table
from segmentation.types import LabelMap

MOST_TABLE_CHARACTERS = 1 << 22  # largest table of objects that is read
ONE_EACH = 'Save an array for each frame: np.savez(path, **{f"{frame:05}": labels for frame, labels in masks.items()})'


def read_npz(files: FileTree) -> list[AnnotatedVideo]:
    """Read the videos of an npz file, of which `files` are the arrays. Files without the suffix .npy are not read.

    The array `<video>/objects`, a text, is the table of objects, if it is there. Pickled objects are never read.

    Raises:
        AnnotationError: an array is no label map; the message names it. Reading the masks raises it, too.
    """
    videos: dict[str, list[str]] = {}
    for name in sorted((name for name in files.names if name.endswith(".npy")), key=natural):
        videos.setdefault(str(PurePosixPath(name).parent), []).append(name)
    return [_video(files, "" if folder == "." else folder, paths) for folder, paths in videos.items()]


def _video(files: FileTree, name: str, paths: list[str]) -> AnnotatedVideo:
    tables = [path for path in paths if PurePosixPath(path).stem == "objects"]
    frames = [path for path in paths if path not in tables]
    if not frames:
        raise AnnotationError(f"{tables[0]}: there is no mask beside it")
    first = _labels(files, frames[0])

    def masks() -> Iterator[LabelMap | None]:
        return (_labels(files, path) for path in frames)

    objects = _objects(files, tables[0]) if tables else ()
    stems = tuple(PurePosixPath(path).stem for path in frames)
    return AnnotatedVideo(name, first.shape[1], first.shape[0], 24.0, stems, objects, masks)


def _objects(files: FileTree, path: str) -> tuple[AnnotatedObject, ...]:
    array = _array(files, path)
    if array.ndim or array.dtype.kind != "U":
        raise AnnotationError(f"{path}: expected a text")
    return read_object_table(at_place(path, lambda: parse_json(str(array)), AnnotationError), path)


def _labels(files: FileTree, path: str) -> LabelMap:
    array = _array(files, path)
    if array.ndim != 2:
        got = "a text" if array.dtype.kind == "U" else f"a single value of {array.dtype}"
        raise AnnotationError(f"{path}: expected whole numbers [height, width], got {got}")
    if array.min() < 0 or array.max() > 255:
        raise AnnotationError(f"{path}: an id is not in 0..255")
    return array.astype(np.uint8)


def _array(files: FileTree, path: str) -> np.ndarray[Any, Any]:
    """Check the header of an array, then read it, because the header may claim more memory than there is.

    Returns whole numbers [height, width], or a single value of any type, which the caller checks. Raises
    AnnotationError for anything else, and for pickled objects, texts that are too long and files that are cut off.
    """
    stream = io.BytesIO(files.read(path))
    try:
        version = np.lib.format.read_magic(stream)
        header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = header(stream)
    except (ValueError, EOFError, SyntaxError, TypeError):
        raise AnnotationError(f"{path}: it is no NumPy array") from None
    if len(shape) == 2:
        check_frame_size(shape[1], shape[0], path)
        if dtype.kind not in "bui":
            raise AnnotationError(f"{path}: expected whole numbers [height, width], got {str(dtype)[:40]}")
    elif shape or dtype.itemsize > 4 * MOST_TABLE_CHARACTERS:
        got = f"{dtype} {list(shape)[:5]}"
        raise AnnotationError(f"{path}: expected a label map [height, width], got {got}. {ONE_EACH}")
    stream.seek(0)
    try:
        return np.asarray(np.load(stream, allow_pickle=False))
    except (ValueError, EOFError):
        raise AnnotationError(f"{path}: it is cut off, or holds pickled objects") from None
