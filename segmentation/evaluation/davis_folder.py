"""Loads sequences for an evaluation: every frame has a mask, and the object ids are 1..N without gaps."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from segmentation.formats.davis_folder import DavisFolder, DavisSequence, FolderError
from segmentation.formats.label_png import MaskError
from segmentation.formats.mask_image import UNREADABLE
from segmentation.formats.scribble_json import ScribbleError, read_scribbles
from segmentation.frames import ImageFrames
from segmentation.types import IGNORE, Interaction, Scribble

__all__ = ["DavisFolder", "FolderError", "Sequence", "load_sequence", "usable_sequences"]


@dataclass(frozen=True)
class Sequence:
    """One sequence with ground truth on every frame.

    In some data sets the object ids have gaps (1, 3), because an object was removed. An id that no pixel has would
    count as an object that every engine segments correctly, and would add to the time limit. So the ids that occur are
    renumbered 1..N here, in their order: in `truth`, in scribbles, and in everything that is computed from them.
    """

    files: DavisSequence

    @property
    def name(self) -> str:
        return self.files.name

    @property
    def frame_files(self) -> tuple[Path, ...]:
        return self.files.frame_files

    @property
    def scribble_files(self) -> tuple[Path, ...]:
        return self.files.scribble_files

    @property
    def num_frames(self) -> int:
        return len(self.frame_files)

    @cached_property
    def _stored(self) -> NDArray[np.uint8]:
        """The masks with the object ids of the mask files, uint8 [T, H, W]."""
        masks = [self.files.labels(index) for index in range(self.num_frames)]
        return np.stack([labels for labels in masks if labels is not None])

    @cached_property
    def object_ids(self) -> tuple[int, ...]:
        """The object ids of the mask files, in the order of the objects 1..N."""
        counts = np.bincount(self._stored.ravel(), minlength=256)
        return tuple(int(number) for number in np.flatnonzero(counts) if number not in (0, IGNORE))

    @cached_property
    def truth(self) -> NDArray[np.uint8]:
        """The ground truth, uint8 [T, H, W]: 0 = background, 1..N = objects, 255 = ignore."""
        table = np.zeros(256, np.uint8)
        table[list(self.object_ids)] = np.arange(1, self.num_objects + 1)
        table[IGNORE] = IGNORE
        return table[self._stored]

    @property
    def num_objects(self) -> int:
        """The number of objects, counted in the masks. The package davisinteractive lists it only for DAVIS-2017."""
        return len(self.object_ids)

    @property
    def size(self) -> tuple[int, int]:
        """The width and height of a frame in pixels."""
        return self.truth.shape[2], self.truth.shape[1]

    def frames(self) -> ImageFrames:
        return ImageFrames(self.frame_files)

    def largest_frame(self) -> int:
        """The frame on which the objects cover the largest area. The first scribble is drawn there."""
        areas = [int(((labels > 0) & (labels != IGNORE)).sum()) for labels in self.truth]
        return int(np.argmax(areas))

    def scribbles(self, path: Path) -> tuple[Interaction, ...]:
        """Read the interactions of a stored scribble file, with the object ids 1..N.

        Raises:
            FolderError: the file is not a scribble file, has another number of frames, or has scribbles on an object
                that no mask shows.
        """
        try:
            stored = read_scribbles(path, self.num_frames)
        except ScribbleError as error:
            raise FolderError(f"{self.name}: {error}") from error
        numbers = {0: 0} | {number: place for place, number in enumerate(self.object_ids, 1)}
        for interaction in stored:
            for scribble in interaction.scribbles:
                if scribble.object_id not in numbers:
                    raise FolderError(f"{self.name}: {path.name} draws object {scribble.object_id}; no mask shows it")
        return tuple(
            Interaction(each.frame, tuple(Scribble(numbers[s.object_id], s.path) for s in each.scribbles))
            for each in stored
        )


def load_sequence(folder: DavisFolder, name: str) -> Sequence:
    """Load and check one sequence. Raises FolderError with a message that names what is wrong."""
    files = folder.sequence(name)
    sequence = Sequence(files)
    if files.problem:
        raise FolderError(f"{name}: {files.problem.rstrip('.')}")
    _check_masks(files)
    try:
        if sequence.num_objects == 0:
            raise FolderError(f"{name}: its masks hold no object")
    except MaskError as error:
        raise FolderError(f"{name}: {error}") from error
    for path in files.scribble_files:
        sequence.scribbles(path)
    return sequence


def usable_sequences(
    folder: DavisFolder, names: Iterable[str], check: Callable[[Sequence], None] = lambda _: None
) -> tuple[dict[str, Sequence], dict[str, str]]:
    """Return the sequences that can be evaluated, by name, and for the others the reason why they cannot, by name.

    `check` raises FolderError for a sequence that can be read and still cannot be evaluated. Raises FolderError if no
    sequence is left.
    """
    good: dict[str, Sequence] = {}
    bad: dict[str, str] = {}
    for name in names:
        try:
            sequence = load_sequence(folder, name)
            check(sequence)
            good[name] = sequence
        except FolderError as error:
            bad[name] = str(error)
    if not good:
        raise FolderError("; ".join(list(bad.values())[:3]))
    return good, bad


def _check_masks(files: DavisSequence) -> None:
    masks = [path for path in files.mask_files if path is not None]
    if len(masks) < len(files.frame_files):
        missing = next(
            frame.name for frame, mask in zip(files.frame_files, files.mask_files, strict=True) if mask is None
        )
        raise FolderError(
            f"{files.name}: {len(files.frame_files)} frames but {len(masks)} masks; {missing} is the first without one"
        )
    sizes = set()
    for path in (*files.frame_files, *masks):
        try:
            with Image.open(path) as image:
                pages = getattr(image, "n_frames", 1)
                sizes.add(image.size)
        except UNREADABLE:
            raise FolderError(f"{files.name}: {path.name} cannot be read as a picture") from None
        if pages > 1:
            raise FolderError(f"{files.name}: {path.name} has {pages} pages; save each as a file of its own")
    if len(sizes) > 1:
        found = ", ".join(f"{w}x{h}" for w, h in sorted(sizes))
        raise FolderError(f"{files.name}: frames and masks differ in size ({found})")
