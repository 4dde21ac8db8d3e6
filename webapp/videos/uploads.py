"""Uploads: files that arrive in chunks, so that a broken connection costs at most one chunk.

The row of an upload counts the bytes that have arrived, and the next chunk must begin there. The bytes of a chunk are
written to the file before the row counts them. Bytes that were not counted are sent again.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from webapp.accounts.models import User
from webapp.problems import Problem
from webapp.projects.access import project_for
from webapp.projects.models import Role
from webapp.storage.files import storage
from webapp.tus import Checksum
from webapp.videos.access import upload_for
from webapp.videos.import_queue import notify_import_worker
from webapp.videos.models import Fetch, Upload, Video
from webapp.videos.quota import alone, bytes_to_come, room_for, under_way
from webapp.videos.refusal import Refused, check_disk
from webapp.videos.storage import free_bytes, min_free_bytes
from webapp.videos.upload_files import Readable, begin_file, receiving

MAX_CHUNK = 64 << 20
MOST_UNDER_WAY = 20  # The most unfinished uploads of one person; the page sends two files at a time.


def begin_upload(*, by: User, project_id: int, name: str, size: int, is_fetched: bool = False) -> Upload:
    """Create an upload and reserve disk space for its `size` bytes.

    With `is_fetched` the server fetches the file itself, so the limit of unfinished uploads of a person does not apply.

    Raises Problem if the file is empty or too large, the disk is too full, a quota leaves no room, or the user has too
    many unfinished uploads.
    """
    project = project_for(by, project_id, Role.ANNOTATOR)
    check_upload_size(size)
    with transaction.atomic():
        alone()
        if not is_fetched:
            _check_count(by)
        _check_room(size)
        room_for(project, by).check(frames=1, size=size)
        upload = Upload.objects.create(project=project, name=_base_name(name), size=size, created_by=by)
    begin_file(upload.pk)
    return upload


def check_upload_size(size: int) -> None:
    """Raise Problem for a file that is empty or larger than MASKWRIGHT_MAX_UPLOAD_MB."""
    most = settings.CONFIG["MASKWRIGHT_MAX_UPLOAD_MB"]
    if size < 1:
        raise Problem("empty", "The file is empty.")
    if size > most << 20:
        raise Problem("too_large", f"The file has {size / (1 << 20):,.0f} MB; at most {most:,} MB are taken.", 413)


def _check_count(by: User) -> None:
    """Raise Refused if `by` has too many unfinished uploads. Files that the server has fetched do not count."""
    fetched = Fetch.objects.filter(upload__isnull=False).values("upload")
    if under_way().filter(created_by=by).exclude(pk__in=fetched).count() >= MOST_UNDER_WAY:
        raise Refused(
            "too_many_uploads",
            f"You have {MOST_UNDER_WAY} uploads under way. Finish or cancel some of them first.",
            429,
            retry_after=60,
        )


def _check_room(size: int) -> None:
    """Raise Refused if the disk has no room for `size` bytes, or if other unfinished uploads need it.

    Uploads into a bucket need only room for a chunk.
    """
    if not storage().on_this_disk:
        check_disk()
        return
    check_disk(size)
    room = free_bytes() - min_free_bytes() - bytes_to_come()
    if size > room:
        raise Refused(
            "disk_full",
            f"The file has {size >> 20:,} MB, and the disk has room for {max(room, 0) >> 20:,} MB: uploads that are "
            "under way need the rest. Try again when they are complete.",
            507,
        )


def receive_chunk(
    *, by: User, upload_id: UUID, offset: int, length: int, body: Readable, checksum: Checksum | None = None
) -> Upload:
    """Store `length` bytes of `body` at `offset`. A chunk that does not arrive completely does not count.

    Raises Problem: 409, with the actual offset in `received`, if the upload does not continue at `offset`; 413 if the
    chunk is too long; 400 if the connection broke; 460 if the bytes do not have the `checksum`; 503 if another chunk is
    being written; 507 if the disk is too full.
    """
    upload = upload_for(by, upload_id)
    if length > MAX_CHUNK:
        raise Problem("chunk_too_large", f"Send at most {MAX_CHUNK >> 20} MB at once.", 413)
    with receiving(upload.pk) as incoming:
        upload.refresh_from_db()
        if offset != upload.received:
            raise _elsewhere(upload)
        if offset + length > upload.size:
            raise Problem("chunk_too_large", "The chunk goes past the end of the file that was announced.", 413)
        check_disk(length)
        incoming.take(body, offset, length, checksum)
        # If files are in a bucket, another web process may have stored the same chunk since this one looked.
        row = Upload.objects.filter(pk=upload.pk, received=offset)
        stored = row.update(received=offset + length, touched_at=timezone.now())
        upload.refresh_from_db()
    if not stored:
        raise _elsewhere(upload)
    return upload


def finish_upload(*, by: User, upload_id: UUID) -> Video:
    """Create the video of a complete upload and notify the workers, which import it. Return the video.

    A second call returns the same video, or the first one if the file had several. Raises Problem if the upload is not
    complete.
    """
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
    """Delete an upload and its file. Raises Problem if the upload has become a video already."""
    upload = upload_for(by, upload_id)
    if upload.videos.exists():
        raise Problem("finished", "This upload is complete. Cancel the import of its video instead.", 409)
    upload.delete()


def _elsewhere(upload: Upload) -> Problem:
    text = f"The upload goes on at byte {upload.received} of {upload.size}."
    return Problem("wrong_offset", text, 409, received=upload.received)


def _base_name(name: str) -> str:
    """Return the last part of the file name that a browser sends, because some browsers send a whole path."""
    return (PurePosixPath(name.replace("\\", "/")).name or "video")[:200]
