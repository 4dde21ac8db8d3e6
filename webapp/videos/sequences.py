"""Turns image files in a zip or folder into videos.

`segmentation.formats` finds which of the files are frames and which are their masks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import PurePosixPath

from segmentation.formats.davis_layout import Layout, SequenceFiles
from segmentation.formats.davis_layout import find_sequences as find_layout
from segmentation.formats.file_tree import UNREAD_PICTURES, FileTree, listed
from segmentation.formats.label_png import MaskError
from segmentation.formats.mask_files import MaskFiles
from webapp.videos.decoding import DEFAULT_FPS
from webapp.videos.frame_writer import SourceFrame
from webapp.videos.movies import is_movie
from webapp.videos.pictures import check_mask, count_pages, found_range, read_pages
from webapp.videos.refusal import Refused, check_count

MAX_SEQUENCES = 1000  # The most folders of pictures in one zip or folder; each becomes a video.


@dataclass
class PictureSequence:
    """A video that can be created from image files, in their order, with ground truth masks for some of them."""

    files: FileTree
    found: SequenceFiles
    notes: list[str] = field(default_factory=list)
    fps: float = DEFAULT_FPS
    pixel_aspect: float = 1.0

    @property
    def part(self) -> str:
        """Return the folder of the pictures, which names this sequence within `files`."""
        return self.found.folder

    @property
    def name(self) -> str:
        """Return the name for the video. It is empty if the video is to be named after the zip or folder."""
        return self.found.name

    @property
    def expected(self) -> int:
        return len(self.found.frames)

    def frames(self) -> Iterator[SourceFrame]:
        """Yield every picture in order, with its ground truth. Each page of a file with several pages is a frame.

        Raises Refused for files that cannot be used.
        """
        if self.found.problem:
            raise Refused("bad_sequence", f"{self.found.problem} Remove it or add what is missing, then try again.")
        check_count(len(self.found.frames))
        masks = MaskFiles(tuple(self.found.masks.values()), self._read_mask, _short)
        for path in self.found.frames:
            mask = self.found.masks.get(path)
            pages = read_pages(self.files.read(path), _short(path), lambda: self._depth)
            if mask is None:
                yield from pages
            else:
                yield from self._with_truth(pages, masks, mask)

    def _with_truth(self, pages: Iterator[SourceFrame], masks: MaskFiles[str], mask: str) -> Iterator[SourceFrame]:
        """Give each page of an image file the same page of its mask file as ground truth.

        Raises Refused if the two files have different numbers of pages.
        """
        in_mask = count_pages(self.files.read(mask))
        number = 0
        for number, frame in enumerate(pages, 1):
            if number > in_mask:
                break
            try:
                yield replace(frame, truth=masks.labels(mask, number - 1))
            except MaskError as problem:
                raise Refused("bad_mask", f"The mask {problem}.") from None
        if number != in_mask:
            raise Refused("mask_pages", f"The mask {_short(mask)} has {in_mask} pages, its picture another number.")

    @cached_property
    def _depth(self) -> tuple[float, float]:
        """The grey values that become black and white in all pictures of the sequence (`found_range`).

        They are computed only if a picture has more than 8 bits.
        """
        return found_range(self.files.read(path) for path in self.found.frames)

    def _read_mask(self, name: str) -> bytes:
        data = self.files.read(name)
        check_mask(data, _short(name))
        return data


def find_sequences(
    files: FileTree, also_left_out: Sequence[str] = (), *, may_be_none: bool = False
) -> list[PictureSequence]:
    """Return all picture sequences in `files`, sorted by name. Raises Refused if there is none, unless `may_be_none`.

    Files that belong to no sequence are left out, and the note that the user reads at the video names them. It also
    names the files `also_left_out`, which could not even be listed, such as broken links. Video files become videos of
    their own (movies.py) and are not named.
    """
    layout = find_layout(name for name in files.names if not is_movie(name))
    if not layout.sequences:
        if may_be_none:
            return []
        raise _no_pictures(files.names)
    if len(layout.sequences) > MAX_SEQUENCES:
        raise Refused(
            "too_many_videos",
            f"There are {len(layout.sequences)} folders of pictures; at most {MAX_SEQUENCES} at once.",
        )
    found = [PictureSequence(files, sequence, _own_notes(sequence)) for sequence in layout.sequences]
    teller = next((each for each in found if not each.found.problem), found[0])
    teller.notes += _common_notes(layout, also_left_out)
    return found


def _own_notes(sequence: SequenceFiles) -> list[str]:
    """Return sentences about one sequence for the person who imports it, for example about files that were left out."""
    return [*sequence.notes, *_left_out([PurePosixPath(name).name for name in sequence.left_out])]


def _common_notes(layout: Layout, also_left_out: Sequence[str]) -> list[str]:
    """Return sentences about the whole zip or folder: files in no sequence, and sequences that cannot be used."""
    notes = _left_out([*layout.left_out, *also_left_out])
    bad = [sequence for sequence in layout.sequences if sequence.problem]
    if bad and len(bad) < len(layout.sequences):
        named = listed([f"{sequence.name} ({sequence.problem.rstrip('.')})" for sequence in bad])
        notes.append(f"{_count(len(bad), 'sequence')} left out: {named}.")
    return notes


def _left_out(names: Sequence[str]) -> list[str]:
    return [f"{_count(len(names), 'file')} left out: {listed(names)}."] if names else []


def _count(number: int, noun: str) -> str:
    return f"1 {noun} was" if number == 1 else f"{number} {noun}s were"


def _no_pictures(names: Sequence[str]) -> Refused:
    unread = [name for name in names if PurePosixPath(name).suffix.lower() in UNREAD_PICTURES]
    if unread:
        return Refused(
            "no_pictures",
            f"There are no pictures and no videos inside that can be read ({listed(unread)}). "
            "Save them as JPEG or PNG first.",
        )
    return Refused("no_pictures", "There are no pictures and no videos inside.")


def _short(path: str) -> str:
    return "/".join(PurePosixPath(path).parts[-2:])
