"""Finds the frames of sequences, and the mask of each frame, from the paths of files. It reads no file.

The layout of DAVIS is

JPEGImages/[480p/]<sequence>/00000.jpg
Annotations/[480p/]<sequence>/00000.png     the mask of the frame with the same file name

YouTube-VOS has no folder of a resolution and several such layouts side by side (train, valid). PASCAL VOC has its
frames in JPEGImages itself and its masks in SegmentationObject. Without a folder JPEGImages, every folder with images
is a sequence.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import takewhile
from pathlib import PurePosixPath

from segmentation.formats.file_tree import is_clutter, listed, natural
from segmentation.formats.json_file import AnnotationError

FRAME_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})
MASK_SUFFIXES = FRAME_SUFFIXES | {".gif"}
FRAMES, MASKS, VOC_MASKS, SCRIBBLES = "jpegimages", "annotations", "segmentationobject", "scribbles"
VOC_CLASSES = "segmentationclass"  # the folder of the masks of classes of PASCAL VOC
METADATA_FOLDERS = frozenset({"imagesets", "objects", SCRIBBLES})
METADATA_FILES = re.compile(
    r"((objects|meta|manifest|instances)\.json|(readme|license|sources?|notice|changelog)(\.\w+)?"
    r"|SHA256SUMS)",
    re.IGNORECASE,
)
RESOLUTION = re.compile(r"\d{3,4}[pi]|\d{2,4}x\d{2,4}|[248]k|full[-_ ]?resolution", re.IGNORECASE)
PREFERRED_RESOLUTION = "480p"  # read if a data set has several; the DAVIS challenge is evaluated at this resolution


@dataclass(frozen=True)
class SequenceFiles:
    """The files of one sequence: the paths of its frames in natural order, and of the masks of some of them.

    `folder` is the folder with the frames. `problem` is a sentence that says why the sequence cannot be used, or "".
    `left_out` are files in its folders that are not read. `notes` are sentences to show to a person.
    """

    name: str
    folder: str
    frames: tuple[str, ...]
    masks: Mapping[str, str] = field(default_factory=dict)  # path of a frame -> path of its mask
    problem: str = ""
    left_out: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    scribbles: tuple[str, ...] = ()  # its scribble files (JSON) of the DAVIS challenge, in natural order


@dataclass(frozen=True)
class Layout:
    """All sequences found in a tree of files, and the files that belong to none of them and are not read."""

    sequences: tuple[SequenceFiles, ...]
    left_out: tuple[str, ...] = ()
    resolutions: tuple[str, ...] = ()  # the folders of resolutions below JPEGImages, such as 480p
    is_davis: bool = False


def find_sequences(names: Iterable[str], resolution: str | None = None) -> Layout:
    """Find the sequences among files with the paths `names`.

    Args:
        names: paths relative to the root of the tree, with / between the parts.
        resolution: the folder below JPEGImages to read; None takes 480p, or another one if there is no 480p.
    """
    files = sorted((name for name in names if not is_clutter(name)), key=natural)
    frames = [name for name in files if _suffix(name) in FRAME_SUFFIXES]
    if not frames:  # GIF animations count only if there are no images, of which they could be previews
        frames = [name for name in files if _suffix(name) == ".gif"]
    return _davis(files, resolution) if is_davis(frames) else _folders(files, frames)


def is_davis(names: Iterable[str]) -> bool:
    """Return whether any of these paths contains a folder JPEGImages."""
    return any(_below(name, FRAMES) for name in names)


def mask_folders(names: Iterable[str]) -> dict[str, list[str]]:
    """Return the mask files below folders Annotations or SegmentationObject, by the name of their sequence.

    There need not be any frames. Where a sequence has masks at several resolutions, those at 480p are preferred.

    Raises AnnotationError if two sequences have the same name, such as train/Annotations/a and valid/Annotations/a.
    """
    files = sorted((name for name in names if not is_clutter(name)), key=natural)
    masks = {**_by_place(files, VOC_MASKS, MASK_SUFFIXES, None), **_by_place(files, MASKS, MASK_SUFFIXES, None)}
    return _by_sequence(masks)


def class_mask_folders(names: Iterable[str]) -> dict[str, list[str]]:
    """Return the files below folders SegmentationClass of PASCAL VOC, by the name of their sequence.

    Raises AnnotationError if two sequences have the same name.
    """
    files = sorted((name for name in names if not is_clutter(name)), key=natural)
    return _by_sequence(_by_place(files, VOC_CLASSES, MASK_SUFFIXES, None))


def _by_sequence(masks: Mapping[_Place, list[str]]) -> dict[str, list[str]]:
    """Return the mask files by the name of their sequence, at one resolution of each.

    Raises AnnotationError if two sequences have the same name.
    """
    chosen: dict[tuple[str, str], _Place] = {}
    for place in sorted(masks, key=lambda place: _preference(place.resolution, None)):
        first = chosen.setdefault(place.key, place)
        if first is not place and first.resolution == place.resolution:  # The names differ in upper and lower case.
            raise same_name(_folder(masks[first][0]), _folder(masks[place][0]))
    found: dict[str, list[str]] = {}
    for place in sorted(chosen.values(), key=lambda place: natural(place.sequence)):
        paths = found.setdefault(place.sequence, masks[place])
        if paths is not masks[place]:
            raise same_name(_folder(paths[0]), _folder(masks[place][0]))
    return found


def same_name(folder: str, other: str) -> AnnotationError:
    """Return the error to raise if two folders of an archive contain masks of sequences with the same name."""
    return AnnotationError(f"{folder} and {other} have masks of sequences of the same name; import them one at a time")


# --- any folders --------------------------------------------------------------------------------------------------


def _folders(files: list[str], frames: list[str]) -> Layout:
    by_folder: dict[str, list[str]] = {}
    for name in frames:
        by_folder.setdefault(_folder(name), []).append(name)
    alone = len(by_folder) == 1
    taken = set(frames)
    others = [name for name in files if name not in taken and not METADATA_FILES.fullmatch(_file(name))]
    found = []
    for folder in sorted(by_folder, key=natural):
        beside = tuple(name for name in others if _folder(name) == folder)
        title = "" if alone or folder == "." else folder
        found.append(SequenceFiles(title, folder, tuple(by_folder[folder]), left_out=beside))
    return Layout(tuple(found), tuple(name for name in others if _folder(name) not in by_folder))


# --- DAVIS --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Place:
    """A folder with the frames or the masks of one sequence in the layout of DAVIS."""

    root: str  # the path before JPEGImages or Annotations
    resolution: str
    sequence: str

    @property
    def key(self) -> tuple[str, str]:
        return self.root.casefold(), self.sequence.casefold()

    @property
    def exact_key(self) -> tuple[str, str]:
        return self.root, self.sequence


def _davis(files: list[str], resolution: str | None) -> Layout:
    frames = _by_place(files, FRAMES, FRAME_SUFFIXES, resolution)
    masks = _by_place(files, VOC_MASKS, MASK_SUFFIXES, resolution)
    voc = set(masks)
    for place, found in _by_place(files, MASKS, MASK_SUFFIXES, resolution).items():
        masks[place] = found
        voc.discard(place)
    scribbles = _by_place(files, SCRIBBLES, frozenset({".json"}), None)
    chosen: dict[tuple[str, str], _Place] = {}
    keys = _keys(frames)
    for place in sorted(frames, key=lambda p: (*_preference(p.resolution, resolution), p not in masks)):
        chosen.setdefault(keys[place], place)
    masks_of, scribbles_of = _belonging(frames, masks), _belonging(frames, scribbles)
    sequences, used = [], set[_Place]()
    for place in sorted(chosen.values(), key=lambda p: (natural(p.sequence), natural(p.root))):
        with_masks = _place_of_masks(place, masks_of[place], resolution)
        sequence = _paired(place, frames[place], masks.get(with_masks, []) if with_masks else [])
        if with_masks in voc:
            sequence = replace(sequence, notes=(*sequence.notes, _VOC_NOTE))
        used.add(with_masks or place)
        drawn = (name for other in scribbles_of[place] for name in scribbles[other])
        sequences.append(replace(sequence, scribbles=tuple(drawn)))
    everything = {name for found in (*frames.values(), *masks.values()) for name in found}
    return _with_left_out(_unique_names(sequences, list(chosen.values())), files, everything, used, masks, frames)


_VOC_NOTE = "The masks come from SegmentationObject, which numbers the objects of each picture by itself."


def _preference(name: str, wanted: str | None) -> tuple[bool, bool, str]:
    return name.casefold() != (wanted or PREFERRED_RESOLUTION).casefold(), name != "", name


def _keys(places: Iterable[_Place]) -> dict[_Place, tuple[str, str]]:
    """Return a key for each folder of frames: folders of the same sequence at several resolutions share it.

    Upper and lower case count only if two folders of one resolution differ in nothing else: they are two sequences.
    """
    counts = Counter((place.key, place.resolution) for place in places)
    doubled = {key for (key, _), count in counts.items() if count > 1}
    return {place: place.exact_key if place.key in doubled else place.key for place in places}


def _belonging(frames: Collection[_Place], others: Iterable[_Place]) -> dict[_Place, list[_Place]]:
    """Return, for each folder of frames, the folders among `others` that belong to the same sequence.

    Upper and lower case may differ, unless another sequence is called exactly so.
    """
    names = {place.exact_key for place in frames}
    of_key: dict[tuple[str, str], list[_Place]] = {}
    for other in others:
        of_key.setdefault(other.key, []).append(other)
    return {
        place: [o for o in of_key.get(place.key, []) if o.exact_key == place.exact_key or o.exact_key not in names]
        for place in frames
    }


def _place_of_masks(place: _Place, masks: Iterable[_Place], resolution: str | None) -> _Place | None:
    """Return which of the folders of masks is read for the sequence whose frames lie in `place`; None if it has none.

    Masks at the resolution of the frames are preferred to those at another resolution.
    """
    ranked = sorted(masks, key=lambda p: (p.resolution != place.resolution, *_preference(p.resolution, resolution)))
    return ranked[0] if ranked else None


def _paired(place: _Place, frames: list[str], masks: list[str]) -> SequenceFiles:
    """Return a sequence in which each mask belongs to the frame with the same file name.

    If no name is the same, files with the same last number in their names belong together.
    """
    sequence = SequenceFiles(place.sequence, _folder(frames[0]), tuple(frames))
    if not masks:
        return sequence
    by_name = {PurePosixPath(frame).stem: frame for frame in frames} | {_file(frame): frame for frame in frames}
    keys = {mask: PurePosixPath(mask).stem for mask in masks}
    if not any(key in by_name for key in keys.values()):
        numbers, found = _by_number(frames), _by_number(masks)
        if numbers is not None and found is not None:
            by_name = {str(number): frame for number, frame in numbers.items()}
            keys = {mask: str(number) for number, mask in found.items()}
    pairs: dict[str, str] = {}
    extra, doubled = [], []
    for mask in masks:
        frame = by_name.get(keys[mask])
        if frame is None:
            extra.append(mask)
        elif frame in pairs:
            doubled.append(mask)
        else:
            pairs[frame] = mask
    problem = ""
    if extra:
        problem = f"The mask {_short(extra[0])} has no frame of the same name{_more(extra)}"
    elif doubled:
        problem = f"The mask {_short(doubled[0])} is a second one for its frame{_more(doubled)}"
    return replace(sequence, masks=pairs, problem=f"{problem}." if problem else "")


def _by_number(names: list[str]) -> dict[int, str] | None:
    """Return the files by the last number in their names, or None if a name has no number or two have the same one."""
    found: dict[int, str] = {}
    for name in names:
        digits = re.findall(r"[0-9]+", PurePosixPath(name).stem)
        if not digits or int(digits[-1]) in found:
            return None
        found[int(digits[-1])] = name
    return found


def _unique_names(sequences: list[SequenceFiles], places: list[_Place]) -> list[SequenceFiles]:
    """Make the names of the sequences unique.

    Names that occur below several folders JPEGImages (of train and valid) get the path before JPEGImages as a prefix.
    """
    roots = sorted({place.root for place in places})
    common = len(_common([PurePosixPath(root).parts for root in roots])) if len(roots) > 1 else 0
    counts = Counter(sequence.name for sequence in sequences)
    named = []
    for sequence in sequences:
        if counts[sequence.name] > 1:
            before = PurePosixPath(_below(sequence.frames[0], FRAMES)[0]).parts  # type: ignore[index]
            sequence = replace(sequence, name="/".join((*before[common:], sequence.name)))
        named.append(sequence)
    return named


def _common(parts: list[tuple[str, ...]]) -> tuple[str, ...]:
    """Return the longest common beginning of these paths, each given as its parts."""
    return tuple(level[0] for level in takewhile(lambda level: len(set(level)) == 1, zip(*parts, strict=False)))


def _with_left_out(
    sequences: list[SequenceFiles],
    files: list[str],
    read: set[str],
    used: set[_Place],
    masks: Mapping[_Place, list[str]],
    frames: Mapping[_Place, list[str]],
) -> Layout:
    """Return the layout, with each file that is not read in the `left_out` of the sequence in whose folder it lies.

    Files in no folder of a sequence are in the `left_out` of the layout.

    Args:
        files: all files of the tree.
        read: the files that were recognised as frames or masks.
        used: the folders whose masks, or else whose frames, a sequence uses.
        masks: all mask files by folder.
        frames: all frames by folder.
    """
    known = {place.key for place in used} | {place.key for place in frames}
    orphans = sorted({place.sequence or "." for place in masks if place.key not in known}, key=natural)
    left = [name for name in files if name not in read and not _is_metadata(name) and not _is_elsewhere(name)]
    folders = {sequence.folder for sequence in sequences}
    mask_folders = {_folder(mask): s.folder for s in sequences for mask in s.masks.values()}
    owner = {name: mask_folders.get(_folder(name), _folder(name)) for name in left}
    sequences = [
        replace(sequence, left_out=tuple(name for name in left if owner[name] == sequence.folder))
        for sequence in sequences
    ]
    if orphans and sequences:
        note = f"Masks without frames were left out: {listed(orphans, 5)}."
        sequences[0] = replace(sequences[0], notes=(*sequences[0].notes, note))
    nobodys = tuple(name for name in left if owner[name] not in folders)
    return Layout(tuple(sequences), nobodys, _resolutions(files), is_davis=True)


def _resolutions(files: list[str]) -> tuple[str, ...]:
    levels = {below[1][0] for name in files if (below := _below(name, FRAMES)) and below[1]}
    return tuple(sorted(level for level in levels if RESOLUTION.fullmatch(level)))


def _is_elsewhere(name: str) -> bool:
    """Return whether a file is an image below JPEGImages or a folder of masks.

    Such a file is not reported as left out. If it was not read, its resolution was not chosen, or it is a GIF below
    JPEGImages.
    """
    inside = any(_below(name, part) for part in (FRAMES, MASKS, VOC_MASKS))
    return inside and _suffix(name) in MASK_SUFFIXES


def _is_metadata(name: str) -> bool:
    """Return whether a file is part of the layout but neither a frame nor a mask, such as the lists of ImageSets."""
    folders = {part.casefold() for part in PurePosixPath(name).parts[:-1]}
    return bool(folders & METADATA_FOLDERS) or METADATA_FILES.fullmatch(_file(name)) is not None


def _by_place(files: list[str], part: str, suffixes: frozenset[str], resolution: str | None) -> dict[_Place, list[str]]:
    found: dict[_Place, list[str]] = {}
    for name in files:
        split = _below(name, part)
        if split is None or _suffix(name) not in suffixes:
            continue
        root, below = split
        has_level = bool(below) and (below[0] == resolution if resolution else bool(RESOLUTION.fullmatch(below[0])))
        level, rest = (below[0], below[1:]) if has_level else ("", below)
        if resolution and not has_level and below and RESOLUTION.fullmatch(below[0]):
            continue  # the file has another resolution than `resolution`
        sequence = "/".join(rest) or (level if below else PurePosixPath(root).name)
        found.setdefault(_Place(root, level, sequence), []).append(name)
    return found


def _below(name: str, folder: str) -> tuple[str, tuple[str, ...]] | None:
    """Split a path at its part `folder`: return the path before it and the folders between it and the file, or None."""
    parts = PurePosixPath(name).parts[:-1]
    for at, part in enumerate(parts):
        if part.casefold() == folder:
            return "/".join(parts[:at]), parts[at + 1 :]
    return None


def _suffix(name: str) -> str:
    return PurePosixPath(name).suffix.lower()


def _folder(name: str) -> str:
    return str(PurePosixPath(name).parent)


def _file(name: str) -> str:
    return PurePosixPath(name).name


def _short(name: str) -> str:
    return "/".join(PurePosixPath(name).parts[-2:])


def _more(names: list[str]) -> str:
    return f", nor have {len(names) - 1} more" if len(names) > 1 else ""
