"""The exceptions that end an import, and the limits of the disk, the size and the number of frames."""

from __future__ import annotations

from django.conf import settings

from webapp.problems import Problem
from webapp.videos.storage import free_bytes, min_free_bytes


class Refused(Problem):
    """A file is refused. The text is a sentence for the person who brought it."""


class ImportCancelled(Exception):
    """The import was cancelled, the video was deleted, or another worker has the task by now."""


def disk_full() -> Refused:
    need, have = min_free_bytes() >> 20, free_bytes() >> 20
    return Refused(
        "disk_full",
        f"The disk is nearly full: {have} MB are left, and {need} MB must stay free. Delete something, then try again.",
        507,
    )


def check_disk(more: int = 0) -> None:
    """Raise Refused if storing `more` bytes would leave less free disk space than MASKWRIGHT_MIN_FREE_MB."""
    if free_bytes() - more < min_free_bytes():
        raise disk_full()


def check_size(width: int, height: int, what: str = "The video") -> None:
    """Raise Refused for frames that are larger than the settings allow, whether they are wide or tall."""
    widest, tallest = settings.CONFIG["MASKWRIGHT_MAX_WIDTH"], settings.CONFIG["MASKWRIGHT_MAX_HEIGHT"]
    # A portrait video of 2160x3840 is as large as one of 3840x2160, so the limits apply to the longer and shorter side.
    across, along = (height, width) if height > width else (width, height)
    if (width > widest or height > tallest) and (across > widest or along > tallest):
        raise Refused("too_large", f"{what} is {width}x{height} pixels; at most {widest}x{tallest} are taken.", 413)


def check_count(frames: int) -> None:
    most = settings.CONFIG["MASKWRIGHT_MAX_FRAMES"]
    if frames > most:
        raise Refused("too_many_frames", f"The video has more than {most} frames. Cut it into parts first.", 413)
