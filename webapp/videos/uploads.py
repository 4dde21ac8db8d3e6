"""Files on their way in: in chunks, each at the offset that the row names, so that a broken connection costs one chunk.

The bytes of a chunk are written first and counted afterwards: what was not counted is written again.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path, PurePosixPath
from typing import IO, Protocol
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Sum
from django.utils import timezone

from webapp.accounts.models import User
from webapp.problems import NotFound, Problem
from webapp.projects.access import project_for
from webapp.projects.models import Role
from webapp.videos.access import upload_for
from webapp.videos.import_queue import notify_import_worker
from webapp.videos.models import Upload, Video
from webapp.videos.refusal import Refused, check_disk
from webapp.videos.storage import free_bytes, min_free_bytes, upload_path

MAX_CHUNK = 64 << 20
MOST_UNDER_WAY = 20  # of one person; the page sends two files at a time
RESERVED = timedelta(hours=1)  # an upload that nobody goes on with keeps its room free for so long
BEGIN_LOCK = 0x6D61736B  # any number that no other advisory lock of the database has
COPY = 1 << 20


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def begin_upload(*, by: User, project_id: int, name: str, size: int) -> Upload:
    """Room for a file of `size` bytes. Raises Problem when it is too large, or the disk too full."""
    project = project_for(by, project_id, Role.ANNOTATOR)
    most = settings.CONFIG["MASKWRIGHT_MAX_UPLOAD_MB"]
    if size < 1:
        raise Problem("empty", "The file is empty.")
    if size > most << 20:
        raise Problem("too_large", f"The file has {size / (1 << 20):,.0f} MB; at most {most:,} MB are taken.", 413)
    with transaction.atomic():
        _begin_alone()
        _check_room(by, size)
        upload = Upload.objects.create(project=project, name=_base_name(name), size=size, created_by=by)
    path = upload_path(upload.pk)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return upload


def _begin_alone() -> None:
    """Let no other upload begin before this transaction ends, so that no two count on the same room."""
    if connection.vendor == "postgresql":  # SQLite has one writing transaction at a time
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [BEGIN_LOCK])


def _check_room(by: User, size: int) -> None:
    """Raise Refused when the uploads that are under way need the room, or when too many of them are `by`'s own."""
    under_way = Upload.objects.filter(videos=None, touched_at__gt=timezone.now() - RESERVED)
    if under_way.filter(created_by=by).count() >= MOST_UNDER_WAY:
        raise Refused(
            "too_many_uploads",
            f"You have {MOST_UNDER_WAY} uploads under way. Finish or cancel some of them first.",
            429,
        )
    reserved = under_way.aggregate(bytes=Sum(F("size") - F("received")))["bytes"] or 0
    check_disk(size)
    room = free_bytes() - min_free_bytes() - reserved
    if size > room:
        raise Refused(
            "disk_full",
            f"The file has {size >> 20:,} MB, and the disk has room for {max(room, 0) >> 20:,} MB: uploads that are "
            "under way need the rest. Try again when they are complete.",
            507,
        )


def receive_chunk(*, by: User, upload_id: UUID, offset: int, length: int, body: Readable) -> Upload:
    """Store `length` bytes of `body` at `offset`. Nothing of a chunk counts that does not arrive whole.

    Raises Problem: 409 with `received` when the file goes on elsewhere, 413 when the chunk is too long.
    """
    upload = upload_for(by, upload_id)
    if length > MAX_CHUNK:
        raise Problem("chunk_too_large", f"Send at most {MAX_CHUNK >> 20} MB at once.", 413)
    with _locked(upload_path(upload.pk)) as file:
        upload.refresh_from_db()
        if offset != upload.received:
            raise _elsewhere(upload)
        if offset + length > upload.size:
            raise Problem("chunk_too_large", "The chunk goes past the end of the file that was announced.", 413)
        check_disk(length)
        file.seek(offset)
        if _copy(body, file, length) != length:
            raise Problem("chunk_cut", "The connection broke in the middle of a chunk.", received=offset)
        file.flush()
        upload.received = offset + length
        upload.touched_at = timezone.now()
        upload.save(update_fields=["received", "touched_at"])
    return upload


def finish_upload(*, by: User, upload_id: UUID) -> Video:
    """Return the video that the complete file becomes, and tell the workers. Asked again, it returns the same video."""
    upload = upload_for(by, upload_id)
    with transaction.atomic():
        upload = Upload.objects.select_for_update().select_related("project").get(pk=upload.pk)
        made = upload.videos.order_by("pk").first()
        if made is not None:
            return made
        if upload.received != upload.size:
            raise _elsewhere(upload)
        name = PurePosixPath(upload.name).stem or upload.name
        video = Video.objects.create(project=upload.project, name=name, upload=upload, created_by=by)
        notify_import_worker(video.pk)
    return video


def drop_upload(*, by: User, upload_id: UUID) -> None:
    """Forget an upload and its bytes. One that has become a video stays with that."""
    upload = upload_for(by, upload_id)
    if upload.videos.exists():
        raise Problem("finished", "This upload is complete. Cancel the import of its video instead.", 409)
    upload.delete()


def _elsewhere(upload: Upload) -> Problem:
    text = f"The upload goes on at byte {upload.received} of {upload.size}."
    return Problem("wrong_offset", text, 409, received=upload.received)


@contextmanager
def _locked(path: Path) -> Iterator[IO[bytes]]:
    """The file, for one writer at a time: a client that gave up on a chunk may send it again while the first still is
    being written."""
    try:
        file = path.open("r+b")
    except FileNotFoundError:
        raise NotFound("upload") from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Problem(
                "busy", "Another chunk of this upload is being written. Try again in a moment.", 503
            ) from None
        yield file


def _copy(body: Readable, file: IO[bytes], length: int) -> int:
    copied = 0
    while copied < length and (data := body.read(min(COPY, length - copied))):
        file.write(data)
        copied += len(data)
    return copied


def _base_name(name: str) -> str:
    """The last part of what a browser says the file is called: some send a whole path."""
    return (PurePosixPath(name.replace("\\", "/")).name or "video")[:200]
