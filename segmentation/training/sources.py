"""Labelled pictures and videos on disk, as they are listed before a training run.

A data folder holds any of
    <video set>/JPEGImages[/<resolution>]/<sequence>/*, <video set>/Annotations[/<resolution>]/<sequence>/*.png
    <still set>/images/*, <still set>/masks/*.png           (a still set may lie one level deeper, as static/<set> does)
Masks are indexed PNG: 0 background, 1..N instances, 255 no decision.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from segmentation.formats.label_png import read_labels
from segmentation.frames import IMAGE_SUFFIXES

IGNORE = 255


class DataError(ValueError):
    """The data folder cannot be trained on; the text names the file and what is wrong with it."""


@dataclass(frozen=True)
class Shot:
    """A labelled video, or a still picture as a video of one frame."""

    name: str
    images: tuple[Path, ...]
    masks: tuple[Path, ...]

    def __len__(self) -> int:
        return len(self.images)

    def load(self, index: int, short_side: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Frame (RGB [h, w, 3]) and labels [h, w], scaled so that the shorter side is at most `short_side`."""
        bgr = cv2.imread(str(self.images[index]), cv2.IMREAD_COLOR)
        if bgr is None:
            raise DataError(f"{self.images[index]} cannot be read as an image")
        labels = read_labels(self.masks[index])
        if labels.shape != bgr.shape[:2]:
            raise DataError(f"{self.masks[index]} is {labels.shape[::-1]}, its image is {bgr.shape[1::-1]}")
        scale = short_side / min(labels.shape)
        if scale < 1:
            size = (round(labels.shape[1] * scale), round(labels.shape[0] * scale))
            bgr = cv2.resize(bgr, size, interpolation=cv2.INTER_AREA)
            labels = np.asarray(cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST_EXACT), np.uint8)
        return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8), labels


@dataclass(frozen=True)
class Sources:
    """All shots of a data folder: videos to train on, videos held out for validation, still pictures."""

    videos: tuple[Shot, ...]
    validation: tuple[Shot, ...]
    stills: tuple[Shot, ...]


def find_sources(root: Path, validation: tuple[str, ...], exclude: tuple[str, ...] = ()) -> Sources:
    """List `root`. Sets named in `exclude` (folder names) are not looked at: the development set is one of them.

    Raises:
        DataError: no such folder, nothing in it, images without masks, sizes that differ, an unknown validation name.
    """
    if not root.is_dir():
        raise DataError(f"{root} is not a folder: --data names the folder that holds the training sets")
    folders = [path for path in (*sorted(root.iterdir()), *sorted(root.glob("*/*"))) if path.is_dir()]
    folders = [path for path in folders if not set(path.relative_to(root).parts) & set(exclude)]
    videos = [shot for folder in folders if (folder / "JPEGImages").is_dir() for shot in _videos(folder)]
    stills = [shot for folder in folders if (folder / "images").is_dir() for shot in _stills(folder)]
    if not videos and not stills:
        raise DataError(f"{root} holds neither videos (JPEGImages, Annotations) nor stills (images, masks)")
    unknown = set(validation) - {shot.name for shot in videos}
    if unknown:
        raise DataError(f"{root} has no validation sequence {', '.join(sorted(unknown))}")
    return Sources(
        tuple(shot for shot in videos if shot.name not in validation),
        tuple(shot for shot in videos if shot.name in validation),
        tuple(stills),
    )


def _videos(folder: Path) -> list[Shot]:
    frames, masks = _deepest(folder / "JPEGImages"), _deepest(folder / "Annotations")
    return [_shot(path.name, path, masks / path.name) for path in sorted(frames.iterdir()) if path.is_dir()]


def _deepest(folder: Path) -> Path:
    """`folder`, or its one resolution folder (480p, 1080p, Full-Resolution)."""
    if not folder.is_dir():
        raise DataError(f"{folder} does not exist")
    inner = [path for path in folder.iterdir() if path.is_dir()]
    return inner[0] if len(inner) == 1 and any(path.is_dir() for path in inner[0].iterdir()) else folder


def _stills(folder: Path) -> list[Shot]:
    images = _files(folder / "images", IMAGE_SUFFIXES)
    masks = {path.stem: path for path in _files(folder / "masks", {".png"})}
    missing = [path.name for path in images if path.stem not in masks]
    if missing:
        raise DataError(f"{folder}: {len(missing)} images have no mask, {missing[0]} is the first")
    return [_checked(Shot(f"{folder.name}/{path.stem}", (path,), (masks[path.stem],))) for path in images]


def _shot(name: str, images: Path, masks: Path) -> Shot:
    if not masks.is_dir():
        raise DataError(f"{name}: the folder {masks} does not exist")
    shot = Shot(name, _files(images, IMAGE_SUFFIXES), _files(masks, {".png"}))
    if len(shot.images) != len(shot.masks) or not shot.images:
        raise DataError(f"{name}: {len(shot.images)} frames but {len(shot.masks)} masks")
    return _checked(shot)


def _checked(shot: Shot) -> Shot:
    """Sizes are read from the headers of the first frame and its mask: a whole set is checked in a second."""
    image, mask = Image.open(shot.images[0]), Image.open(shot.masks[0])
    if image.size != mask.size:
        raise DataError(f"{shot.masks[0]} is {mask.size}, its image is {image.size}")
    return shot


def _files(folder: Path, suffixes: frozenset[str] | set[str]) -> tuple[Path, ...]:
    if not folder.is_dir():
        raise DataError(f"{folder} does not exist")
    return tuple(sorted(path for path in folder.iterdir() if path.suffix.lower() in suffixes))
