"""Compares the database with what is stored: every mask can be read, every frame is there, nothing is extra.

`manage.py fsck` prints the findings. With `--repair` it repairs damage where that loses nothing that people made, and
elsewhere says what is lost.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import RestrictedError
from PIL import Image, UnidentifiedImageError

from segmentation.formats.label_png import decode_labels
from webapp.annotation.accepted_objects import end_with_mask
from webapp.annotation.codec import BadMask, decode
from webapp.annotation.counters import wrong_counts
from webapp.annotation.export.files import EXPORTS
from webapp.annotation.head import hold
from webapp.annotation.models import Export, ExportState, Mask
from webapp.storage.files import storage
from webapp.videos.belonging import newer_folders
from webapp.videos.frame_hashes import hashes_of, store_hashes
from webapp.videos.frame_writer import hash_of, write_thumb
from webapp.videos.models import Video, VideoState
from webapp.videos.recovery import folders_without_row
from webapp.videos.storage import VIDEOS, VideoFiles, read_file

OnVideo = Callable[[int, int], None]


@dataclass(frozen=True)
class Damage:
    """Something that is stored wrongly. `repaired` says what `--repair` did about it, and is empty otherwise."""

    where: str
    text: str
    repaired: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.text}" + (f" {self.repaired}" if self.repaired else "")


def check_site(
    *, repair: bool, frames: bool = True, deep: bool = False, on_video: OnVideo = lambda done, total: None
) -> Iterator[Damage]:
    """Yield everything that is stored wrongly.

    With `repair`, damage is repaired where that loses nothing. With `frames` False, missing frames are no damage,
    because a backup without frames was restored. With `deep`, every frame is decoded and compared with the hash that
    its import stored; otherwise it only must exist. `on_video` is called with the number of videos done and the number
    of all videos.
    """
    videos = list(Video.objects.filter(state=VideoState.READY).order_by("pk"))
    for done, video in enumerate(videos):
        on_video(done, len(videos))
        if frames:
            yield from _frames(video, repair, deep)
        yield from _truth(video)
        yield from _masks(video, repair)
        yield from _counts(video, repair)
    yield from _extra_folders(repair)
    yield from _exports(repair)


def _frames(video: Video, repair: bool, deep: bool) -> Iterator[Damage]:
    files, where = VideoFiles(video.pk), f"Video {video.pk} ({video.name})"
    sizes = {part: storage().sizes(f"{files.folder}/{part}") for part in ("frames", "thumbs")}
    hashes = hashes_of(video.pk)
    found: list[bytes] = []
    for index in range(video.frame_count):
        frame, thumb = files.frame(index), files.thumb(index)
        if not sizes["frames"].get(_last(frame)):
            yield Damage(where, f"The picture of frame {index} is gone. Import the video again.")
            continue
        picture = _Picture(frame) if deep or (repair and hashes is None) else None
        if picture is not None and (wrong := picture.wrong(video, (hashes or {}).get(index, b""))):
            yield Damage(where, f"The picture of frame {index} cannot be used: {wrong}. Import the video again.")
            continue
        if picture is not None:
            found.append(picture.hash)
        if not sizes["thumbs"].get(_last(thumb)):
            failed = _make_thumb(frame, thumb) if repair else ""
            text = f"The small picture of frame {index} is gone" + (
                f", and cannot be made: {failed}." if failed else "."
            )
            yield Damage(where, text, "It was made again." if repair and not failed else "")

    if hashes is None and (deep or repair):
        yield _hashes_missing(video, found, repair)


def _hashes_missing(video: Video, found: list[bytes], repair: bool) -> Damage:
    """Report that an older version stored no hashes of a video's frames. With `repair`, store the hashes `found`, if
    they are those of all frames.
    """
    text = "An older version imported it, which noted no hashes of its frames."
    is_whole = len(found) == video.frame_count
    if repair and is_whole:
        store_hashes(video.pk, b"".join(found))
    done = "They were noted as the frames are now." if repair and is_whole else ""
    return Damage(f"Video {video.pk} ({video.name})", text, done)


def _last(name: str) -> str:
    return name.rpartition("/")[2]


def _make_thumb(frame: str, thumb: str) -> str:
    """Make the thumbnail `thumb` of the stored file `frame`. Return the text of the error if that fails, otherwise
    "".
    """
    with tempfile.TemporaryDirectory(dir=settings.HOME) as folder:
        path = Path(folder) / "thumb.jpg"
        try:
            with Image.open(io.BytesIO(read_file(frame)), formats=["JPEG"]) as picture:
                write_thumb(picture.convert("RGB"), path)
            storage().save(path, thumb)
        except OSError as error:
            return str(error)
    return ""


class _Picture:
    """The content of the stored file of a frame, and its hash. Both are empty if the file cannot be read."""

    def __init__(self, name: str) -> None:
        self._data, self.hash, self._unreadable = b"", b"", ""
        try:
            self._data = read_file(name)
            self.hash = hash_of(self._data)
        except OSError as error:
            self._unreadable = str(error)

    def wrong(self, video: Video, expected: bytes) -> str:
        """Return what is wrong with the picture, or "". `expected` is its hash when it was imported, if known."""
        if self._unreadable:
            return self._unreadable
        try:
            with Image.open(io.BytesIO(self._data), formats=["JPEG"]) as picture:
                picture.load()
                size = picture.size
        except (OSError, UnidentifiedImageError) as error:
            return str(error)
        if size != (video.width, video.height):
            return f"it has {size[0]}x{size[1]} pixels"
        return "it has changed since its import" if expected and expected != self.hash else ""


def _truth(video: Video) -> Iterator[Damage]:
    for index in video.truth_frames:
        try:
            decode_labels(io.BytesIO(read_file(VideoFiles(video.pk).truth(index))))
        except (OSError, ValueError) as error:
            where = f"Video {video.pk} ({video.name})"
            yield Damage(where, f"The ground truth of frame {index} cannot be read: {error}. Import the video again.")


def _masks(video: Video, repair: bool) -> Iterator[Damage]:
    for mask in Mask.objects.filter(round__video=video).select_related("round").order_by("pk").iterator(200):
        try:
            labels = decode(bytes(mask.data))
        except BadMask as error:
            wrong = str(error)
        else:
            if labels.shape == (video.height, video.width) and mask.frame < video.frame_count:
                continue
            wrong = f"it has {labels.shape[1]}x{labels.shape[0]} pixels and is of frame {mask.frame}"
        where = f"Video {video.pk} ({video.name})"
        text = f"The mask of frame {mask.frame} in round {mask.round.number} cannot be used ({wrong})."
        yield Damage(where, text, _remove_mask(mask) if repair else "")


def _remove_mask(mask: Mask) -> str:
    try:
        with transaction.atomic():
            hold(mask.round.video_id)
            released = end_with_mask(mask)
            mask.delete()
    except RestrictedError:
        return "It is accepted, and therefore was kept: release the frame, then repair again."
    names = ", ".join(instance.name for instance in released)
    also = f" {names} had been accepted in it, which was released." if names else ""
    return f"It was removed: the frame has the mask of an earlier round again.{also}"


def _counts(video: Video, repair: bool) -> Iterator[Damage]:
    """Yield Damage if figures that a video's row keeps for lists differ from what is stored. With `repair`, correct
    them.
    """
    wrong = wrong_counts(video.pk)
    if wrong:
        if repair:
            Video.objects.filter(pk=video.pk).update(**wrong)
        where, names = f"Video {video.pk} ({video.name})", ", ".join(sorted(wrong))
        yield Damage(where, f"Lists show wrong figures: {names}.", "They were counted again." if repair else "")


def _extra_folders(repair: bool) -> Iterator[Damage]:
    """Yield Damage for each folder of a video or an upload that has no row. With `repair`, remove the folders.

    None is removed if the database has no video at all, or is older than the files, because the files then probably
    belong to another database.
    """
    extra, newer = folders_without_row(), newer_folders()
    kept = ""
    if not Video.objects.exists():
        kept = " It is kept, because the database has no videos at all. Is it the right one (DATABASE_URL)?"
    elif newer:
        kept = (
            f" It is kept, because the database is an older copy: it has not given the number of video {newer[-1]} yet."
        )
    for folder in extra:
        text = f"No {'video' if folder.startswith(f'{VIDEOS}/') else 'upload'} has it."
        if repair and not kept:
            storage().remove_folder(folder)
        yield Damage(f"Folder {folder}", text + kept, "It was removed." if repair and not kept else "")


def _exports(repair: bool) -> Iterator[Damage]:
    stored = storage().sizes(EXPORTS)
    for export in Export.objects.filter(state=ExportState.DONE).select_related("video", "project").order_by("pk"):
        if stored.get(str(export.pk)) == export.size_bytes:
            continue
        if repair:
            gone = "The file of this export is gone. Export again."
            Export.objects.filter(pk=export.pk).update(state=ExportState.FAILED, error=gone, size_bytes=0)
        source = export.video or export.project
        yield Damage(
            f"Export {export.pk} of {source.name if source else 'nothing'}",
            "Its file is gone or cut off.",
            "It is marked as failed, so that people export again." if repair else "",
        )
