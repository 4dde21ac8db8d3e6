"""Finds the labelled images and videos in a data folder before a training run.

A data folder holds any of
    <video set>/JPEGImages[/<resolution>]/<sequence>/*, <video set>/Annotations[/<resolution>]/<sequence>/*
    <still set>/images/*, <still set>/masks/*               (both may lie one level deeper, as static/<set> does)
Masks are read by `segmentation.formats`: 0 is the background, 1..N are objects, 255 is "ignore".
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from segmentation.formats.davis_folder import DavisFolder, DavisSequence
from segmentation.formats.davis_layout import FRAME_SUFFIXES, MASK_SUFFIXES
from segmentation.formats.file_tree import is_clutter, natural
from segmentation.formats.label_png import MaskError
from segmentation.formats.mask_files import MaskFiles, mask_paths


class DataError(ValueError):
    """The training data cannot be used. The message names the file, folder or video, and says what is wrong with it."""


@dataclass(frozen=True)
class LabelledVideo:
    """A labelled video, or a still image as a video of one frame. `mask_files[i]` is the mask of `images[i]`."""

    name: str
    images: tuple[Path, ...]
    mask_files: tuple[Path, ...]
    masks: MaskFiles[Path]  # reads the masks of the whole set, which all have the same form

    def __len__(self) -> int:
        return len(self.images)

    def load(self, index: int, short_side: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Load a frame, RGB [h, w, 3], and its labels [h, w]. Both are reduced to a shorter side of `short_side`.

        Smaller frames keep their size. Raises DataError if one of the two files cannot be used, or if their sizes
        differ.
        """
        bgr = cv2.imread(str(self.images[index]), cv2.IMREAD_COLOR)
        if bgr is None:
            raise DataError(f"{self.images[index]} cannot be read as an image")
        try:
            labels = self.masks.labels(self.mask_files[index])
        except MaskError as error:
            raise DataError(f"{self.name}: {error}") from error
        if labels.shape != bgr.shape[:2]:
            raise DataError(f"{self.mask_files[index]} is {labels.shape[::-1]}, its image is {bgr.shape[1::-1]}")
        scale = short_side / min(labels.shape)
        if scale < 1:
            size = (round(labels.shape[1] * scale), round(labels.shape[0] * scale))
            bgr = cv2.resize(bgr, size, interpolation=cv2.INTER_AREA)
            labels = np.asarray(cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST_EXACT), np.uint8)
        return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8), labels


@dataclass(frozen=True)
class Sources:
    """All data of a data folder: videos for training, videos for validation, and still images.

    `left_out` holds a sentence for each video that cannot be used.
    """

    videos: tuple[LabelledVideo, ...]
    validation: tuple[LabelledVideo, ...]
    stills: tuple[LabelledVideo, ...]
    left_out: tuple[str, ...] = ()


def find_sources(root: Path, validation: tuple[str, ...], exclude: tuple[str, ...] = ()) -> Sources:
    """List the data in `root`, except for the folders named in `exclude` (the development set, for example).

    Raises:
        DataError: there is no such folder, it has no usable video or still image, a still image has no mask, or a
            name in `validation` is unknown.
    """
    if not root.is_dir():
        raise DataError(f"{root} is not a folder: --data names the folder that holds the training sets")
    folders = [path for path in (*sorted(root.iterdir()), *sorted(root.glob("*/*"))) if path.is_dir()]
    folders = [path for path in folders if not set(path.relative_to(root).parts) & set(exclude)]
    left_out: list[str] = []
    videos = [video for folder in folders if (folder / "JPEGImages").is_dir() for video in _videos(folder, left_out)]
    stills = [video for folder in folders if (folder / "images").is_dir() for video in _stills(folder)]
    if left_out and not videos and not stills:
        raise DataError(left_out[0])
    if not videos and not stills:
        raise DataError(f"{root} holds neither videos (JPEGImages, Annotations) nor stills (images, masks)")
    unknown = set(validation) - {video.name for video in videos}
    if unknown:
        raise DataError(
            f"{root} has no validation sequence {', '.join(sorted(unknown))}; --validation names those of your own data"
        )
    return Sources(
        tuple(video for video in videos if video.name not in validation),
        tuple(video for video in videos if video.name in validation),
        tuple(stills),
        tuple(left_out),
    )


def _videos(folder: Path, left_out: list[str]) -> list[LabelledVideo]:
    """Return the usable sequences of a folder in the DAVIS layout.

    For each sequence that cannot be used, a sentence that says why is added to `left_out`.
    """
    found = []
    for sequence in DavisFolder(folder).sequences():
        problem = sequence.problem or _problem(sequence)
        if problem:
            left_out.append(f"{sequence.name}: {problem}")
        else:
            files = tuple(path for path in sequence.mask_files if path is not None)
            found.append(LabelledVideo(sequence.name, sequence.frame_files, files, sequence.masks))
    return found


def _problem(sequence: DavisSequence) -> str:
    """Return why a sequence cannot be used, or "". Only the headers of one image and one mask are read."""
    missing = [frame for frame, mask in zip(sequence.frame_files, sequence.mask_files, strict=True) if mask is None]
    if missing:
        count = len(sequence.frame_files)
        return f"{count} frames but {count - len(missing)} masks; {missing[0].name} is the first without one"
    return _differ(sequence.frame_files[0], sequence.mask_files[0])


def _differ(image: Path, mask: Path | None) -> str:
    """Return a sentence if the sizes of an image and its mask differ, or ""."""
    assert mask is not None
    try:
        with Image.open(image) as first, Image.open(mask) as second:
            if first.size == second.size:
                return ""
            return f"{mask} is {second.size}, its image is {first.size}"
    except (OSError, SyntaxError) as error:
        return f"{image} or its mask cannot be read ({error})"


def _stills(folder: Path) -> list[LabelledVideo]:
    images = _files(folder / "images", FRAME_SUFFIXES)
    masks = {path.stem: path for path in _files(folder / "masks", MASK_SUFFIXES)}
    missing = [path.name for path in images if path.stem not in masks]
    if missing:
        raise DataError(f"{folder}: {len(missing)} images have no mask, {missing[0]} is the first")
    reader = mask_paths(list(masks.values()))
    videos = [LabelledVideo(f"{folder.name}/{path.stem}", (path,), (masks[path.stem],), reader) for path in images]
    for video in videos:
        if problem := _differ(video.images[0], video.mask_files[0]):
            raise DataError(problem)
    return videos


def _files(folder: Path, suffixes: frozenset[str]) -> tuple[Path, ...]:
    if not folder.is_dir():
        raise DataError(f"{folder} does not exist")
    files = (path for path in folder.iterdir() if path.suffix.lower() in suffixes and not is_clutter(path.name))
    return tuple(sorted(files, key=lambda path: natural(path.name)))
