"""Lets a worker fetch files from the import folder, a bucket or a URL. They are stored as uploads, which become videos
or are imported as masks.
"""

from __future__ import annotations

import time
from datetime import timedelta

import structlog
from django.conf import settings
from django.db import OperationalError, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from webapp.accounts.models import User
from webapp.outgoing import parse_url
from webapp.problems import Forbidden, NotFound, Problem
from webapp.projects.access import memberships_of, project_for, require
from webapp.projects.models import Role
from webapp.storage.failure import AWAY_FOR_LONG, StorageAway
from webapp.tasks.heartbeat import beating
from webapp.tasks.lease import Lease, Limits
from webapp.tasks.models import Queue
from webapp.tasks.sending import send_task
from webapp.videos.bucket import is_in_bucket
from webapp.videos.fetch_sources import check_source, is_address, open_source
from webapp.videos.models import Fetch, FetchState, Upload
from webapp.videos.packing import ReadableFile
from webapp.videos.quota import alone, room_for
from webapp.videos.refusal import ImportCancelled, check_disk
from webapp.videos.upload_files import writing
from webapp.videos.uploads import begin_upload, check_upload_size, finish_upload

log = structlog.get_logger(__name__)

TASK = "videos.fetch"
MOST_FETCHES = 200  # of one person that wait or run
PROGRESS_SECONDS = 0.5
LONGEST_SECONDS = 6 * 3600.0
SLOW_SECONDS = 120.0  # After so long, a file must have come with SLOWEST bytes a second on average.
SLOWEST = 4096


class FetchLease(Lease[Fetch]):
    queue = Queue.IMPORTS

    def notify(self, pk: int) -> None:
        send_task(TASK, pk)

    def is_wanted(self, task: Fetch) -> bool:
        return not task.cancel_requested

    def end_lost(self, task: Fetch) -> None:
        state, error = FetchState.CANCELLED, ""
        if self.is_wanted(task):
            state = FetchState.FAILED
            error = f"The worker stopped {task.losses} times before the file was here. Its log may say why."
        self.held(task.pk, task.fence).update(state=state, error=error)


FETCHES = FetchLease(
    Fetch,
    waiting=FetchState.QUEUED,
    running=FetchState.RUNNING,
    limits=Limits(stale_after=timedelta(seconds=30), notify_again_after=timedelta(seconds=60)),
)


def begin_fetch(*, by: User, project_id: int, source: str, as_video: bool) -> Fetch:
    """Have a worker fetch a file. Raises Problem if the source cannot be used, or if `by` has too many under way."""
    project = project_for(by, project_id, Role.ANNOTATOR)
    check_source(source)
    if is_address(source) and not is_in_bucket(source):
        parse_url(source, "source")  # The worker resolves the name: that can take long, and a write may be open here.
    open_states = (FetchState.QUEUED, FetchState.RUNNING)
    with transaction.atomic():
        if Fetch.objects.filter(created_by=by, state__in=open_states).count() >= MOST_FETCHES:
            text = f"You have {MOST_FETCHES} files on their way. Wait until some of them are here."
            raise Problem("too_many_fetches", text, 429, retry_after=60)
        fetch = Fetch.objects.create(project=project, source=source, as_video=as_video, created_by=by)
        FETCHES.notify(fetch.pk)
    return fetch


def fetches_of(user: User, project_id: int) -> QuerySet[Fetch]:
    """Return the fetches of a project that `user` sees: their own ones, and for managers those of all."""
    role = require(user, project_id, Role.ANNOTATOR)
    rows = Fetch.objects.filter(project_id=project_id)
    return rows if role in (Role.MANAGER, Role.OWNER) else rows.filter(created_by=user)


def fetch_for(user: User, fetch_id: int) -> Fetch:
    """Return a fetch that `user` sees. Raises NotFound or Forbidden."""
    mine = memberships_of(user).values("project")
    fetch = Fetch.objects.filter(pk=fetch_id, project__in=mine).first()
    if fetch is None:
        raise NotFound("fetch")
    if not fetches_of(user, fetch.project_id).filter(pk=fetch.pk).exists():
        raise Forbidden("Somebody else lets the server get this file. A manager can look at it.")
    return fetch


def cancel_fetch(*, by: User, fetch_id: int) -> None:
    """Stop a fetch. One that has ended stays as it is."""
    fetch = fetch_for(by, fetch_id)
    if not FETCHES.waiting().filter(pk=fetch.pk).update(state=FetchState.CANCELLED, cancel_requested=True):
        Fetch.objects.filter(pk=fetch.pk, state=FetchState.RUNNING).update(cancel_requested=True)


def run_fetch(fetch_id: int) -> None:
    """Get the file of a fetch that waits, and make it a video if that is wanted.

    Errors are stored in the row and not raised, except OperationalError when the database is away. If the storage is
    away, the fetch is postponed.
    """
    fetch = FETCHES.claim(fetch_id)
    if fetch is None:
        return
    with beating(lambda: FETCHES.beat(fetch.pk, fetch.fence), 5.0, fetch=fetch.pk):
        try:
            with open_source(fetch.source, _Packing(fetch)) as opened:
                _store(fetch, opened)
        except ImportCancelled:
            _end(fetch, FetchState.CANCELLED)
        except Problem as problem:
            _end(fetch, FetchState.FAILED, problem.text)
        except OperationalError:
            raise  # The database is away. The sweep takes the task back when its heartbeat is stale.
        except StorageAway:
            if not FETCHES.postpone(fetch.pk, fetch.fence):
                _end(fetch, FetchState.FAILED, AWAY_FOR_LONG)
        except Exception:
            log.exception("fetch_failed", fetch=fetch.pk)
            _end(fetch, FetchState.FAILED, "The file could not be got by a fault of the program; the log names it.")


def _store(fetch: Fetch, opened: ReadableFile) -> None:
    """Write a file as an upload, and make it a video if that is wanted. Raises Problem, and ImportCancelled."""
    most = settings.CONFIG["MASKWRIGHT_MAX_UPLOAD_MB"] << 20
    by = fetch.created_by
    reserved = opened.size or 1
    upload = begin_upload(by=by, project_id=fetch.project_id, name=opened.name, size=reserved, is_fetched=True)
    try:
        size = _copy(fetch, opened, upload, most)
        if opened.size and size != opened.size:
            raise Problem("cut_short", f"Only {size:,} of {opened.size:,} bytes came. Try again.", 409)
        if not size:
            raise Problem("empty", "The file is empty.", 409)
        with transaction.atomic():
            alone()
            room_for(fetch.project, by).check(size=size - reserved)
            columns = {"received": size, "size": size, "touched_at": timezone.now()}
            Upload.objects.filter(pk=upload.pk).update(**columns)
            if not _end(fetch, FetchState.DONE, upload=upload, progress_done=size, progress_total=size):
                raise ImportCancelled
            if fetch.as_video:
                finish_upload(by=by, upload_id=upload.pk)
    except BaseException:
        upload.delete()  # Its file is deleted with it.
        raise


def _copy(fetch: Fetch, opened: ReadableFile, upload: Upload, most: int) -> int:
    done, progress = 0, _Progress(fetch)
    with writing(upload) as file:
        for piece in opened.pieces:
            done += len(piece)
            if done > most:
                raise Problem("too_large", f"The file has more than {most >> 20:,} MB.", 413)
            file.write(piece)
            if progress.report(done, opened.size):
                Upload.objects.filter(pk=upload.pk).update(touched_at=timezone.now())
    return done


class _Progress:
    """Stores how far a fetch has come, at most every PROGRESS_SECONDS."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._began = time.monotonic()
        self._looked = 0.0

    def report(self, done: int, total: int) -> bool:
        """Return whether the progress was stored. Raises ImportCancelled, and Problem if the disk is full or the fetch
        takes too long.
        """
        now = time.monotonic()
        if now - self._looked < PROGRESS_SECONDS:
            return False
        self._looked = now
        check_disk()
        wanted = FETCHES.held(self._fetch.pk, self._fetch.fence).filter(cancel_requested=False)
        if not wanted.update(heartbeat=Now(), progress_done=done, progress_total=total):
            raise ImportCancelled
        seconds = now - self._began
        if seconds > LONGEST_SECONDS or (seconds > SLOW_SECONDS and done < SLOWEST * seconds):
            raise Problem("too_slow", "The file came too slowly.", 408)
        return True


class _Packing:
    """Checks the size of a folder before `open_source` packs it, and stores the progress of the packing."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._progress = _Progress(fetch)

    def begin(self, size: int) -> None:
        """Raise Problem if `size` bytes exceed the limit of uploads, a quota or the room on the disk."""
        check_upload_size(size)
        room_for(self._fetch.project, self._fetch.created_by).check(frames=1, size=size)
        check_disk(2 * size)  # The packed file lies there until it is copied to where uploads are.

    def report(self, done: int, total: int) -> None:
        self._progress.report(done, total)


def _end(fetch: Fetch, state: FetchState, error: str = "", **columns: object) -> bool:
    return bool(FETCHES.held(fetch.pk, fetch.fence).update(state=state, error=error, **columns))
