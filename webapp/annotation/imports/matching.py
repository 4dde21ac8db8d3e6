"""Finds the videos, frames and labels of a project to which the masks in a file of annotations belong."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from segmentation.formats.annotated_video import NO_LABEL
from webapp.annotation.export.files import folder_name
from webapp.annotation.imports.reading import FoundFile, FoundMasks
from webapp.videos.models import Video
from webapp.videos.refusal import Refused
from webapp.videos.source_table import read_source_table


@dataclass(frozen=True)
class Match:
    """A video of the project, and the video `found` in the file whose masks it gets.

    `index` is the index of `found` among the videos of the file, and `frames` are the frames of the project's video
    for the frames of `found`, in their order.
    """

    video: Video
    found: FoundMasks
    index: int
    frames: list[int]


def match_videos(found: FoundFile, videos: Sequence[Video], target: Video | None) -> tuple[list[Match], list[str]]:
    """Return which videos of the project get masks from the file, and the names of the file's videos that match none.

    With `target`, only that video gets masks: from the only video in the file, or else from the one that has its name;
    no names are returned then. Otherwise videos are found by their names, as they are or as exports write them. If the
    file has one video and does not name it (as in an export of one video as PASCAL VOC), and the project has one video,
    that one gets the masks. Raises Refused if no video matches, if several have the same name, or if the size or the
    frames do not fit.
    """
    if target is None and len(videos) == 1 and [each.name for each in found.videos] == [""]:
        target = videos[0]
    if target is not None:
        return [_match(target, _for_video(found, target), found)], []
    called = _by_names(videos)
    matches, left_out = [], []
    for each in found.videos:
        named = called(each.name)
        if len(named) > 1:
            raise Refused(
                "same_names",
                f"Several videos are called {each.name}. Rename them, or import the masks at the video itself.",
            )
        if named:
            matches.append(_match(named[0], each, found))
        else:
            left_out.append(each.name or "(without a name)")
    if not matches and not any(each.name for each in found.videos):
        text = "The file does not say to which video its masks belong. Import it at the video itself."
        raise Refused("no_video", text)
    if not matches:
        text = f"The file has masks of {_listed(left_out)}, and no video of this project has such a name."
        raise Refused("no_video", f"{text} Import the masks at the video itself, or rename it.")
    doubled = [m.video.name for m in matches if sum(other.video.pk == m.video.pk for other in matches) > 1]
    if doubled:
        raise Refused("same_names", f"The file has masks of the video {doubled[0]} twice.")
    return matches, left_out


def _for_video(found: FoundFile, video: Video) -> FoundMasks:
    if len(found.videos) == 1:
        return found.videos[0]
    named: list[FoundMasks] = []
    for form in FORMS:
        named = named or [each for each in found.videos if form(each.name) in {form(name) for name in _names_of(video)}]
    if len(named) != 1:
        names = _listed([each.name for each in found.videos])
        raise Refused("no_video", f"The file has masks of {names}. None of them, or several, are called {video.name}.")
    return named[0]


def _by_names(videos: Sequence[Video]) -> Callable[[str], list[Video]]:
    """Return a function that finds the videos that a name means, in the first of `FORMS` in which there are any."""
    tables: list[dict[str, list[Video]]] = [{} for _ in FORMS]
    for video in videos:
        for form, table in zip(FORMS, tables, strict=True):
            for name in {form(name) for name in _names_of(video)}:
                table.setdefault(name, []).append(video)

    def called(name: str) -> list[Video]:
        found = (table.get(form(name), []) for form, table in zip(FORMS, tables, strict=True))
        return next((videos for videos in found if videos), [])

    return called


def _names_of(video: Video) -> set[str]:
    stem = video.name.rsplit(".", 1)[0]
    return {video.name, stem, folder_name(video.name), folder_name(stem)}


def _last_part(name: str) -> str:
    return name.rsplit("/", 1)[-1].casefold()


# In which form names of videos are compared, the strictest one first: as they are, without regard to upper and lower
# case, and without the folders before them, because "train/car" may be called "car" elsewhere.
FORMS: tuple[Callable[[str], str], ...] = (str, str.casefold, _last_part)


def _match(video: Video, found: FoundMasks, file: FoundFile) -> Match:
    if (found.width, found.height) != (video.width, video.height):
        raise Refused(
            "wrong_size",
            f"The masks of {found.name or video.name} have {found.width} x {found.height} pixels, the video "
            f"{video.name} has {video.width} x {video.height}. They are masks of another video, or of a smaller copy.",
        )
    stems = None if file.numbered else read_source_table(video.pk, video.frame_count).stems()
    return Match(video, found, file.videos.index(found), match_frames(found.frames, stems, video))


def match_frames(names: Sequence[str], stems: Sequence[str] | None, video: Video) -> list[int]:
    """Return the frame of the video for each name of a frame in the file.

    If all names are names of source files, they are the frames of these files. Otherwise the last number in a name is
    the index of the frame. The numbers count from 1 instead of 0 if none is 0 and one equals the number of frames.

    Args:
        names: the names in the file, without suffixes.
        stems: the names of the source files of all frames, or None if they have none.
        video: the video.

    Raises:
        Refused: a name belongs to no frame, or two belong to the same one.
    """
    known = {stem.casefold(): frame for frame, stem in enumerate(stems or [])}
    if names and all(name.casefold() in known for name in names):
        frames = [known[name.casefold()] for name in names]
    else:
        numbers = [_number(name) for name in names]
        from_one = video.frame_count in numbers and min(numbers) > 0
        frames = [number - from_one for number in numbers]
    for name, frame in zip(names, frames, strict=True):
        if frame >= video.frame_count:
            raise Refused("no_frame", f"The video {video.name} has {video.frame_count} frames and none for {name!r}.")
    if len(set(frames)) != len(frames):
        doubled = next(name for at, name in enumerate(names) if frames[at] in frames[:at])
        raise Refused("same_frame", f"The file has two masks for the frame {doubled!r} of {video.name}.")
    return frames


def _number(name: str) -> int:
    digits: list[str] = re.findall(r"[0-9]{1,9}", name)
    if not digits:
        raise Refused("no_frame", f"The name {name[:60]!r} has no number that says for which frame its mask is.")
    return int(digits[-1])


def labels_in(found: Iterable[FoundMasks]) -> list[str]:
    """Return the labels that the objects of these videos have, in alphabetical order.

    The name `object`, which exports write for objects without a label, does not count as a label.
    """
    return sorted({each.label for video in found for each in video.objects if each.label and each.label != NO_LABEL})


def unknown_labels(labels: Iterable[str], known: Iterable[str], mapping: Mapping[str, str | None]) -> list[str]:
    """Return the labels that the project does not have and that `mapping` does not name."""
    there = {name.casefold() for name in known}
    return [label for label in labels if label.casefold() not in there and label not in mapping]


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(name or "(without a name)" for name in names[:3])
    return shown + (f" and {len(names) - 3} more" if len(names) > 3 else "")
