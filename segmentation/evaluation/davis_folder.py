"""A folder in the DAVIS layout: its sequences, checked before anything is computed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from segmentation.formats.label_png import read_labels
from segmentation.frames import IMAGE_SUFFIXES, ImageFrames

IGNORE = 255  # "no decision" in the masks of this field


class FolderError(ValueError):
    """The folder cannot be evaluated; the text names what is wrong."""


@dataclass(frozen=True)
class Sequence:
    """One sequence with ground truth: frame files and mask files, equal in number and size."""

    name: str
    frame_files: tuple[Path, ...]
    mask_files: tuple[Path, ...]
    scribble_files: tuple[Path, ...]

    @property
    def num_frames(self) -> int:
        return len(self.frame_files)

    @cached_property
    def truth(self) -> NDArray[np.uint8]:
        """uint8 [T, H, W], 0 = background."""
        return np.stack([read_labels(path) for path in self.mask_files])

    @cached_property
    def num_objects(self) -> int:
        """The highest id of any mask: the folder decides, not the package's table of DAVIS-2017."""
        highest = 0
        for labels in self.truth:
            known = labels[labels != IGNORE]
            highest = max(highest, int(known.max(initial=0)))
        return highest

    @property
    def size(self) -> tuple[int, int]:
        """Width, height."""
        return self.truth.shape[2], self.truth.shape[1]

    def frames(self) -> ImageFrames:
        return ImageFrames(self.frame_files)

    def largest_frame(self) -> int:
        """The frame on which the objects cover most: where the first scribble is drawn."""
        areas = [int(((labels > 0) & (labels != IGNORE)).sum()) for labels in self.truth]
        return int(np.argmax(areas))

    def check(self) -> None:
        """Raise FolderError unless masks and frames fit."""
        if len(self.frame_files) != len(self.mask_files):
            raise FolderError(
                f"{self.name}: {len(self.frame_files)} frames but {len(self.mask_files)} masks; there must be one each"
            )
        sizes = {Image.open(path).size for path in (*self.frame_files, *self.mask_files)}
        if len(sizes) > 1:
            found = ", ".join(f"{w}x{h}" for w, h in sorted(sizes))
            raise FolderError(f"{self.name}: frames and masks differ in size ({found})")
        if self.num_objects == 0:
            raise FolderError(f"{self.name}: its masks hold no object")


@dataclass(frozen=True)
class DavisFolder:
    """`root` with JPEGImages/<resolution>/<sequence>, Annotations/<resolution>/<sequence> and perhaps Scribbles."""

    root: Path
    resolution: str = "480p"

    def names(self, subset: str | None = None) -> list[str]:
        """Names of the sequences: of ImageSets/2017/<subset>.txt, or all that have annotations."""
        annotations = self._part("Annotations")
        if subset:
            listing = self.root / "ImageSets" / "2017" / f"{subset}.txt"
            if not listing.is_file():
                raise FolderError(f"{listing} does not exist: name sequences with --sequences, or leave --subset out")
            return listing.read_text().split()
        names = sorted(path.name for path in annotations.iterdir() if path.is_dir())
        if not names:
            raise FolderError(f"{annotations} has no sequences")
        return names

    def sequence(self, name: str) -> Sequence:
        """One sequence, checked. Raises FolderError."""
        masks = self._part("Annotations") / name
        frames = self._part("JPEGImages") / name
        for folder in (masks, frames):
            if not folder.is_dir():
                raise FolderError(f"{name}: the folder {folder} does not exist")
        scribbles = self.root / "Scribbles" / name
        sequence = Sequence(
            name,
            _images(frames),
            _images(masks, only=".png"),
            tuple(sorted(scribbles.glob("*.json"))) if scribbles.is_dir() else (),
        )
        sequence.check()
        for path in sequence.scribble_files:
            _check_scribbles(path, sequence)
        return sequence

    def _part(self, part: str) -> Path:
        if not self.root.is_dir():
            raise FolderError(f"{self.root} is not a folder")
        folder = self.root / part / self.resolution
        if folder.is_dir():
            return folder
        choices = self.root / part
        if not choices.is_dir():
            raise FolderError(f"{self.root} has no folder {part}: it is not in the DAVIS layout")
        found = ", ".join(sorted(path.name for path in choices.iterdir() if path.is_dir())) or "nothing"
        raise FolderError(f"{choices} has no folder {self.resolution} (it has {found}): give --resolution")


def _images(folder: Path, only: str | None = None) -> tuple[Path, ...]:
    wanted = {only} if only else IMAGE_SUFFIXES
    return tuple(sorted(path for path in folder.iterdir() if path.suffix.lower() in wanted))


def _check_scribbles(path: Path, sequence: Sequence) -> None:
    try:
        frames = json.loads(path.read_text())["scribbles"]
    except (OSError, ValueError, KeyError, TypeError):
        raise FolderError(f"{path} is not a scribble file of the DAVIS challenge") from None
    if len(frames) != sequence.num_frames:
        raise FolderError(f"{path} is for {len(frames)} frames, {sequence.name} has {sequence.num_frames}")
