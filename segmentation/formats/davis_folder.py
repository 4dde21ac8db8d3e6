"""Finds the frames, masks and scribbles of data sets in the layout of DAVIS, and writes masks in this layout."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from segmentation.formats.davis_layout import Layout, SequenceFiles, find_sequences
from segmentation.formats.file_tree import FolderTree, listed
from segmentation.formats.label_png import write_labels
from segmentation.formats.mask_files import MaskFiles, mask_paths
from segmentation.formats.paths import checked_path
from segmentation.types import LabelMap


class FolderError(ValueError):
    """A data set cannot be used; the message says what is wrong."""


@dataclass(frozen=True)
class DavisSequence:
    """One sequence on disk. `mask_files[i]` is the mask of `frame_files[i]`, or None if that frame has no mask."""

    name: str
    frame_files: tuple[Path, ...]
    mask_files: tuple[Path | None, ...]
    scribble_files: tuple[Path, ...] = ()
    problem: str = ""  # a sentence that says why the sequence cannot be used; "" if it can

    @cached_property
    def masks(self) -> MaskFiles[Path]:
        return mask_paths([path for path in self.mask_files if path is not None])

    def labels(self, index: int) -> LabelMap | None:
        """Return the mask of a frame, uint8 [H, W] with ids 0..254 and 255 = "ignore", or None if it has none.

        Raises:
            MaskError: the file is not a mask; the message names it.
        """
        path = self.mask_files[index]
        return None if path is None else self.masks.labels(path)


class DavisFolder:
    """A data set on disk: a folder with JPEGImages, and perhaps with Annotations and Scribbles.

    Below these, the sequences may lie in folders of a resolution (480p, Full-Resolution) or directly.

    Args:
        root: the folder of the data set. JPEGImages may also lie deeper (`train/JPEGImages`, `valid/JPEGImages`).
        resolution: the folder below JPEGImages to read; None takes 480p, or another one if there is no 480p.

    Raises:
        ValueError: `root` is no path.
    """

    def __init__(self, root: Path | str, resolution: str | None = None) -> None:
        self.root = checked_path("root", root)
        self.resolution = resolution

    @cached_property
    def _tree(self) -> FolderTree:
        if not self.root.is_dir():
            raise FolderError(f"{self.root} is not a folder")
        return FolderTree(self.root)

    @cached_property
    def layout(self) -> Layout:
        """Which files belong to which sequence.

        Raises FolderError if the folder does not exist, lacks the resolution, or has no sequence.
        """
        found = find_sequences(self._tree.names, self.resolution)
        if self.resolution and found.resolutions and self.resolution not in found.resolutions:
            has = ", ".join(found.resolutions)
            raise FolderError(f"{self.root} has no resolution {self.resolution} (it has {has}): give --resolution")
        if not found.is_davis:
            raise FolderError(f"{self.root} has no folder JPEGImages with frames: it is not in the DAVIS layout")
        return found

    @property
    def left_out(self) -> tuple[str, ...]:
        """The files that are neither read nor known metadata, and symbolic links whose target does not exist.

        Frames and masks at other resolutions are not among them.
        """
        beside = [name for sequence in self.layout.sequences for name in sequence.left_out]
        return (*beside, *self.layout.left_out, *self._tree.broken)

    def sequences(self) -> Iterator[DavisSequence]:
        """Yield all sequences, in the order of their names."""
        return (self._on_disk(found) for found in self.layout.sequences)

    def names(self, subset: str | None = None) -> list[str]:
        """Return the names of all sequences with masks, or with `subset` the names in ImageSets/2017/<subset>.txt.

        Sequences that cannot be used, because a mask has no frame of its own, are among them. Raises FolderError if no
        sequence has masks, or if there is no such file.
        """
        if subset:
            listing = self.root / "ImageSets" / "2017" / f"{subset}.txt"
            if not listing.is_file():
                raise FolderError(f"{listing} does not exist: name sequences with --sequences, or leave --subset out")
            return listing.read_text().split()
        found = [sequence.name for sequence in self.layout.sequences if sequence.masks or sequence.problem]
        if not found:
            raise FolderError(f"{self.root} has no folder Annotations with masks of its frames")
        return [name or self.root.resolve().name for name in found]

    def sequence(self, name: str) -> DavisSequence:
        """Return a sequence by name. Its `problem` says whether it can be used. Raises FolderError if there is none."""
        for found in self.layout.sequences:
            if (found.name or self.root.resolve().name) == name:
                return self._on_disk(found)
        known = listed([found.name for found in self.layout.sequences], 10)
        raise FolderError(f"{name}: the sequence does not exist in {self.root}, which has {known}")

    def _on_disk(self, found: SequenceFiles) -> DavisSequence:
        masks = [found.masks.get(frame) for frame in found.frames]
        return DavisSequence(
            found.name or self.root.resolve().name,
            tuple(self._tree.path(frame) for frame in found.frames),
            tuple(None if mask is None else self._tree.path(mask) for mask in masks),
            tuple(self._tree.path(file) for file in found.scribbles),
            found.problem,
        )


# --- writing ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class DavisPaths:
    """The paths of a sequence's files relative to the root of a data set, with / between the parts.

    As in DAVIS, the folder of the resolution is 480p for frames with 480 rows, otherwise Full-Resolution.
    """

    sequence: str
    height: int

    def frame(self, name: int | str, suffix: str = ".jpg") -> str:
        """Return the path of a frame. `name` is its index or its file name without a suffix."""
        return str(PurePosixPath("JPEGImages", self.resolution, self.sequence, f"{_stem(name)}{suffix}"))

    def mask(self, name: int | str) -> str:
        return str(PurePosixPath("Annotations", self.resolution, self.sequence, f"{_stem(name)}.png"))

    @property
    def resolution(self) -> str:
        return "480p" if self.height == 480 else "Full-Resolution"


def _stem(name: int | str) -> str:
    return f"{name:05}" if isinstance(name, int) else name


def write_masks(root: Path | str, paths: DavisPaths, masks: Iterable[tuple[int, LabelMap]]) -> int:
    """Write pairs (frame, mask uint8 [H, W]) as indexed PNG files below `root`, and return how many were written."""
    count = 0
    for frame, labels in masks:
        file = Path(root) / paths.mask(frame)
        file.parent.mkdir(parents=True, exist_ok=True)
        write_labels(file, labels)
        count += 1
    return count
