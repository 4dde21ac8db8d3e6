"""The followers of a web process, and what is read once a second for all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog
from django.conf import settings
from django.db import DatabaseError

from webapp.annotation import notify
from webapp.jobs.leases import Holding, held_in
from webapp.live.change_feed import newest_changes
from webapp.live.follower import IDLE_SECONDS, Follower, Subscriber
from webapp.live.outbox import Outbox
from webapp.live.protocol import WorkerChanged, WorkerStatus
from webapp.live.threads import in_thread
from webapp.tasks.bell import Bell

log = structlog.get_logger(__name__)

WorkerCheck = Callable[[], WorkerStatus]


class Hub:
    """The followers of this process. What every follower needs each second is read once for all of them."""

    def __init__(self, worker_check: WorkerCheck) -> None:
        self.worker: WorkerStatus | None = None
        self._check = worker_check
        self._followers: dict[int, Follower] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._watch: asyncio.Task[None] | None = None
        self._bell: Bell | None = None  # Workers ring it in embedded mode.

    async def join(self, video_id: int, outbox: Outbox) -> tuple[Follower, Subscriber]:
        """Follow a video for a socket with this outbox. Return the video's follower and the socket's subscriber.

        New rows are held back until `Subscriber.caught_up` is called.
        """
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            notify.listen(self._notified)
        if self._watch is None:
            self._watch = asyncio.create_task(self._look_around())
            self._listen_to_bell()
        follower = self._followers.get(video_id)
        if follower is None:
            deaf = self._bell is None and not settings.TEAM_MODE
            follower = self._followers[video_id] = Follower(video_id, deaf=deaf)
        subscriber = Subscriber(outbox)
        follower.subscribers.add(subscriber)
        try:
            await follower.started.wait()
        except asyncio.CancelledError:
            await self.leave(follower, subscriber)  # the caller never gets this subscriber
            raise
        return follower, subscriber

    async def leave(self, follower: Follower, subscriber: Subscriber) -> None:
        follower.leave(subscriber)
        if not follower.subscribers and self._followers.get(follower.video_id) is follower:
            del self._followers[follower.video_id]
            await follower.stop()
        if not self._followers and self._watch is not None:
            self._watch.cancel()
            self._watch = None
            self._close_bell()

    def _listen_to_bell(self) -> None:
        """Wake followers when a worker of this machine tells of a change through a named pipe (a bell).

        In team mode, workers use the channel layer instead.
        """
        self._close_bell()
        if settings.TEAM_MODE:
            return
        bell = Bell(notify.bells())
        if bell.fd is not None:
            self._bell = bell
            asyncio.get_running_loop().add_reader(bell.fd, self._rung, bell)

    def _rung(self, bell: Bell) -> None:
        for text in bell.heard():
            if text.isdigit():
                self._wake(int(text))

    def _close_bell(self) -> None:
        if self._bell is not None and self._bell.fd is not None:
            asyncio.get_running_loop().remove_reader(self._bell.fd)
            self._bell.close()
        self._bell = None

    async def worker_status(self) -> WorkerStatus:
        self.worker = await in_thread(self._check)
        return self.worker

    def _notified(self, video_id: int) -> None:
        """Wake the follower of a video, because code of this process has changed the video. May be called from any
        thread.
        """
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake, video_id)

    def _wake(self, video_id: int) -> None:
        if follower := self._followers.get(video_id):
            follower.wake()

    async def _look_around(self) -> None:
        while True:
            await asyncio.sleep(IDLE_SECONDS)
            try:
                worker, newest, held = await in_thread(self._read, tuple(self._followers))
            except DatabaseError as error:
                log.warning("not_looked_around", error=str(error))
                continue
            self._tell_of_worker(worker)
            for video_id, follower in self._followers.items():
                if video_id in newest:
                    follower.compare(newest[video_id], held.get(video_id, ()))

    def _read(self, videos: tuple[int, ...]) -> tuple[WorkerStatus, dict[int, int], dict[int, tuple[Holding, ...]]]:
        return self._check(), newest_changes(videos), held_in(videos)

    def _tell_of_worker(self, now: WorkerStatus) -> None:
        before, self.worker = self.worker, now
        if now != before:
            text = WorkerChanged(type="worker", worker=now).model_dump_json()
            for follower in self._followers.values():
                for subscriber in follower.subscribers:
                    subscriber.outbox.hint("worker", text)
