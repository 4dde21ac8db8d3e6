"""Reads the mask files of a sequence after finding out whether they hold object ids or are black and white.

One file cannot always tell what 255 means: in masks with objects 1, 2, ... it is "ignore", and in black-and-white masks
it is the object. The files of the sequence are then examined one after another until one of them decides it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np

from segmentation.formats.label_png import MaskError
from segmentation.formats.mask_image import PEAK, MaskImage, decode_mask
from segmentation.types import LabelMap

File = TypeVar("File")
NOISE = 4  # largest grey value that a lossy format makes of black


class MaskFiles(Generic[File]):
    """The masks of a sequence, each read on request, uint8 [H, W]: 0 = background, ids 1..254, 255 = "ignore".

    Args:
        files: all mask files of the sequence, as paths or anything else that identifies a file to `read`.
        read: returns the bytes of a file.
        name: returns the name of a file for messages.
    """

    def __init__(self, files: Sequence[File], read: Callable[[File], bytes], name: Callable[[File], str]) -> None:
        self.files = tuple(files)
        self._read = read
        self._name = name

    def labels(self, file: File, page: int = 0) -> LabelMap:
        """Return the mask in a file, uint8 [H, W]. `page` is the index of the image in a file with several images.

        Raises:
            MaskError: the file cannot be used. The message names it and says what to do.
        """
        image = self._decode(file, page)
        if image.are_ids and not image.is_black_and_white:
            return image.values
        if image.is_empty:
            return image.values
        threshold = self._threshold
        if threshold is not None:
            return (image.values >= threshold).astype(np.uint8)
        if not image.may_be_ids:
            raise self._no_ids(file)
        return image.values

    @cached_property
    def _threshold(self) -> int | None:
        """The smallest grey value of object pixels, if the masks are black and white; None if they hold object ids."""
        ids = white = False
        darkest: tuple[File, int] | None = None
        for file in self.files:
            image = self._decode(file)
            if image.is_black_and_white:
                white = True
            elif image.are_ids and not image.is_empty:
                return None
            elif image.threshold is not None:
                return image.threshold
            elif image.lossy and not image.is_empty:
                if image.values.max() >= PEAK // 2:
                    raise self._no_ids(file)
                darkest = max(filter(None, (darkest, (file, int(image.values.max())))), key=lambda found: found[1])
            elif not image.is_empty:
                ids = True
                if not image.may_be_ids:
                    raise self._no_ids(file)
        if darkest is not None and not white and darkest[1] > NOISE:
            raise self._no_ids(darkest[0])
        return None if ids or not (white or darkest) else 128

    def _decode(self, file: File, page: int = 0) -> MaskImage:
        try:
            return decode_mask(self._read(file), page)
        except MaskError as error:
            raise MaskError(f"{self._name(file)}: {error}") from error

    def _no_ids(self, file: File) -> MaskError:
        return MaskError(
            f"{self._name(file)}: its grey values are neither object ids nor plainly black and white; "
            "save masks as PNG with 0 for the background and 1, 2, ... for objects"
        )


def mask_paths(paths: Sequence[Path]) -> MaskFiles[Path]:
    """Return the masks of a sequence whose mask files are on disk at `paths`."""
    return MaskFiles(paths, _bytes_of, lambda path: f"{path.parent.name}/{path.name}")


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise MaskError(f"it cannot be read ({error.strerror})") from error
