"""How many frames and bytes the videos of a project or a person take, and the refusal of what their quota leaves no
room for.

Videos in the trash count, because their files are still there. Copies that share the files of another video
(copying.py) do not. A file that is uploaded counts with its size until it has become videos.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db import connection
from django.db.models import F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce, Now

from webapp.accounts.models import User
from webapp.projects.models import Project
from webapp.quotas.limits import Owner, limits_of, name_of
from webapp.videos.models import Upload, Video, VideoState
from webapp.videos.refusal import Refused

RESERVED = timedelta(hours=1)  # How long an upload that is not continued counts.
LOCK = 0x6D61736B  # The key of an advisory lock of Postgres; no other lock may use it.


@dataclass(frozen=True)
class Taken:
    """What videos take: their frames, and the bytes of their files."""

    frames: int
    bytes: int


@dataclass(frozen=True)
class Room:
    """What the quotas of a project and of a person leave. None: not limited. `why_*` say whose limit it is."""

    frames: int | None
    bytes: int | None
    why_frames: str = ""
    why_bytes: str = ""

    def check(self, *, frames: int = 0, size: int = 0) -> None:
        """Raise Refused, with a sentence, if `frames` more frames or `size` more bytes do not fit."""
        if self.frames is not None and frames > self.frames:
            raise _refused(f"{self.why_frames}, so {frames:,} more do not fit.")
        if self.bytes is not None and size > self.bytes:
            raise _refused(f"{self.why_bytes}, so {shown_size(size)} more do not fit.")


def shown_size(size: int) -> str:
    """Return a number of bytes as a sentence has it, such as "1.5 MB", "976.6 kB" or "12 bytes"."""
    for unit, bytes_ in (("MB", 1 << 20), ("kB", 1 << 10)):
        if size >= bytes_:
            return f"{size / bytes_:,.1f}".removesuffix(".0") + f" {unit}"
    return f"{size:,} bytes"


def alone() -> None:
    """Let no other transaction use what the quotas leave before this one ends, so that two transactions do not both use
    the same room.
    """
    if connection.vendor == "postgresql":  # SQLite has only one writing transaction at a time.
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])


def taken_by(owner: Owner, *, without: int | None = None) -> Taken:
    """Return how many frames and bytes the videos and uploads of a project or a person have, without the video with the
    id `without`.

    The videos of a person are those that they added.
    """
    whose = Q(project=owner) if isinstance(owner, Project) else Q(created_by=owner)
    videos = Video.objects.filter(whose, is_copy=False)
    if without is not None:
        videos = videos.exclude(pk=without)
    ready = videos.filter(state=VideoState.READY).aggregate(
        frames=Coalesce(Sum("frame_count"), 0), bytes=Coalesce(Sum("size_bytes"), 0)
    )
    importing = videos.filter(state=VideoState.IMPORTING)
    written = importing.filter(copy_of=None).aggregate(frames=Coalesce(Sum("progress_done"), 0))
    # The progress of a copy that is being made (overview/copying.py) counts masks, and its size is known.
    copied = importing.aggregate(
        frames=Coalesce(Sum("copy_of__frame_count"), 0), bytes=Coalesce(Sum("copy_of__size_bytes"), 0)
    )
    arriving = under_way().filter(whose) | _waiting(whose, without)
    uploads = arriving.distinct().values("pk", "size").aggregate(bytes=Coalesce(Sum("size"), 0))
    return Taken(
        ready["frames"] + written["frames"] + copied["frames"], ready["bytes"] + uploads["bytes"] + copied["bytes"]
    )


def room_for(project: Project, person: User | None, *, without: int | None = None) -> Room:
    """Return the room that both the quota of a project and that of the person who adds a video leave.

    `person` is None if nobody adds a video, as when one is moved. `without` is the id of a video that does not count,
    because the room is for this video.
    """
    frames: tuple[int, str] | None = None
    size: tuple[int, str] | None = None
    for owner in (project, person) if person is not None else (project,):
        limits = limits_of(owner)
        if limits.frames is None and limits.bytes is None:
            continue
        taken = taken_by(owner, without=without)
        if limits.frames is not None:
            why = f"{name_of(owner)} may have {limits.frames:,} frames and has {taken.frames:,}"
            left = (max(limits.frames - taken.frames, 0), why)
            frames = left if frames is None else min(frames, left)
        if limits.bytes is not None:
            why = f"{name_of(owner)} may have {shown_size(limits.bytes)} of videos and has {shown_size(taken.bytes)}"
            left = (max(limits.bytes - taken.bytes, 0), why)
            size = left if size is None else min(size, left)
    return Room(
        None if frames is None else frames[0],
        None if size is None else size[0],
        "" if frames is None else frames[1],
        "" if size is None else size[1],
    )


def under_way() -> QuerySet[Upload]:
    """Return the uploads that have not become videos and were begun or continued within the last hour."""
    return Upload.objects.filter(videos=None, touched_at__gt=Now() - RESERVED)


def bytes_to_come() -> int:
    """Return how many bytes of the uploads that are under way have not arrived yet."""
    return under_way().aggregate(bytes=Sum(F("size") - F("received")))["bytes"] or 0


def _waiting(whose: Q, without: int | None) -> QuerySet[Upload]:
    """Return the uploads that fulfil the condition `whose` and have a video whose import has not ended.

    The upload of the video with the id `without` is left out, even if it has other such videos.
    """
    waiting = Upload.objects.filter(whose, videos__state=VideoState.IMPORTING)
    return waiting if without is None else waiting.exclude(videos=without)


def _refused(text: str) -> Refused:
    return Refused("quota", f"{text} Delete videos for good, or ask an administrator for more.", 409)
