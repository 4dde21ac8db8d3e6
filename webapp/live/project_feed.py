"""Finds which videos of a project have changed, for the pages that show its list.

A web process asks the database once a second for each project whose list somebody looks at, however many look at it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import DatabaseError
from django.db.models.functions import Now

from webapp.live.protocol import ImportProgress, VideosChanged
from webapp.live.threads import in_thread
from webapp.videos.models import Video, VideoState

log = structlog.get_logger(__name__)

POLL_SECONDS = 1.0
# `changed_at` is the time at which a transaction began. One that takes longer than this may be missed.
WINDOW = timedelta(seconds=10)
MOST_CHANGED = 200  # If more videos have changed at once, a page loads its list again.

# If one of these columns has changed, a page loads the card again, also while the video is imported.
SHOWN = (
    "state",
    "name",
    "is_running",
    "rounds_made",
    "accepted_count",
    "archived_at",
    "deleted_at",
    "project_id",
)


@dataclass(frozen=True)
class Seen:
    """A video as the last poll found it."""

    changed_at: datetime
    shown: tuple[Any, ...]
    done: int


class ProjectFeed:
    """Remembers how the last poll found the videos of one project. `poll` returns what is new since then."""

    def __init__(self, project_id: int) -> None:
        self.project_id = project_id
        self._seen: dict[int, Seen] = {}
        self._started = False

    def poll(self) -> VideosChanged | None:
        """Return a message about what has changed since the last poll, or None. The first poll returns None."""
        # Videos that were moved to another project have changed, too; those who look at the list there are told.
        recent = Video.objects.filter(project_id=self.project_id, changed_at__gt=Now() - WINDOW)
        rows = recent.values("pk", "changed_at", "progress_done", "progress_total", *SHOWN)
        changed, progress = [], []
        now: dict[int, Seen] = {}
        for row in rows:
            pk, before = row["pk"], self._seen.get(row["pk"])
            now[pk] = Seen(row["changed_at"], tuple(row[name] for name in SHOWN), row["progress_done"])
            if before is not None and before.changed_at == now[pk].changed_at:
                continue
            goes_on = before is not None and before.shown == now[pk].shown and before.done != now[pk].done
            if goes_on and row["state"] == VideoState.IMPORTING:
                progress.append(ImportProgress(video=pk, done=row["progress_done"], total=row["progress_total"]))
            else:
                changed.append(pk)
        changed += [pk for pk in self._moved_away() if pk not in now]
        first, self._started, self._seen = not self._started, True, now
        if first or not (changed or progress):
            return None
        too_many = len(changed) > MOST_CHANGED
        ids = [] if too_many else sorted(changed)
        return VideosChanged(type="videos.changed", changed=ids, progress=progress, all=too_many)

    def _moved_away(self) -> list[int]:
        """Return the videos of the last poll that belong to another project now."""
        rows = Video.objects.filter(pk__in=self._seen, changed_at__gt=Now() - WINDOW)
        return list(rows.exclude(project_id=self.project_id).values_list("pk", flat=True)) if self._seen else []


class Watcher:
    """A socket that gets the messages about a project. `next` waits for the next message and returns it."""

    def __init__(self) -> None:
        self._waiting: VideosChanged | None = None
        self._filled = asyncio.Event()

    def tell(self, message: VideosChanged) -> None:
        """Add a message. It is merged with one that the socket has not sent yet, so a slow browser piles up nothing."""
        self._waiting = message if self._waiting is None else _merged(self._waiting, message)
        self._filled.set()

    async def next(self) -> VideosChanged:
        await self._filled.wait()
        self._filled.clear()
        message, self._waiting = self._waiting, None
        assert message is not None
        return message


def _merged(first: VideosChanged, second: VideosChanged) -> VideosChanged:
    changed = sorted({*first.changed, *second.changed})
    progress = {item.video: item for item in (*first.progress, *second.progress)}
    everything = first.all or second.all or len(changed) > MOST_CHANGED
    return VideosChanged(
        type="videos.changed",
        changed=[] if everything else changed,
        progress=list(progress.values()),
        all=everything,
    )


class ProjectHub:
    """The projects whose lists are shown by pages of this process, each with the task that polls it."""

    def __init__(self) -> None:
        self._watchers: dict[int, set[Watcher]] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._begun: dict[int, asyncio.Event] = {}

    async def join(self, project_id: int) -> Watcher:
        """Return a watcher of a project. It is told of everything that changes after this call has returned."""
        watcher = Watcher()
        self._watchers.setdefault(project_id, set()).add(watcher)
        if project_id not in self._tasks:
            self._begun[project_id] = asyncio.Event()
            self._tasks[project_id] = asyncio.create_task(self._follow(project_id))
        try:
            await self._begun[project_id].wait()
        except asyncio.CancelledError:
            self.leave(project_id, watcher)  # The caller never gets this watcher.
            raise
        return watcher

    def leave(self, project_id: int, watcher: Watcher) -> None:
        watchers = self._watchers.get(project_id, set())
        watchers.discard(watcher)
        if not watchers and (task := self._tasks.pop(project_id, None)):
            del self._watchers[project_id], self._begun[project_id]
            task.cancel()

    async def _follow(self, project_id: int) -> None:
        feed = ProjectFeed(project_id)
        while True:
            try:
                message = await in_thread(feed.poll)
                self._begun[project_id].set()
                if message is not None:
                    for watcher in tuple(self._watchers[project_id]):
                        watcher.tell(message)
            except DatabaseError as error:
                log.warning("project_not_polled", project=project_id, error=str(error))
            await asyncio.sleep(POLL_SECONDS)
