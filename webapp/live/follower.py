"""Followers. A web process has one for each video that somebody has open in it.

A follower reads new rows of the change log and new masks, and puts them into the outboxes of the video's sockets. It
polls ten times a second while a round waits or runs, and once a second otherwise. It also polls when it is notified, by
this process or by another one: through a bell in embedded mode, and through the channel layer in team mode. A lost
notification therefore costs one second at most.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from collections.abc import Callable

import structlog
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import DatabaseError

from webapp.annotation import notify
from webapp.annotation.schemas import Person
from webapp.jobs.leases import leases_of
from webapp.live import change_feed
from webapp.live.outbox import Outbox
from webapp.live.presence import PresenceBoard
from webapp.live.protocol import Leases, WorkerChanged, WorkerStatus
from webapp.live.threads import in_thread
from webapp.projects.models import Role
from webapp.tasks.bell import Bell

log = structlog.get_logger(__name__)

BUSY_SECONDS = 0.1
IDLE_SECONDS = 1.0
PRESENCE_SECONDS = 0.2  # between two presence messages; scrubbing changes the frame many times a second
LEASES_SECONDS = 0.9
PROGRESS_SECONDS = 0.5  # a progress message is sent at least this often, because it shows the elapsed time
REPEAT_SECONDS = 10.0  # in team mode; other processes forget viewers whose list is not sent again

NO_LEASES = Leases(type="leases", leases=[]).model_dump_json()

WorkerCheck = Callable[[], WorkerStatus]


class Subscriber:
    """A socket to which a follower sends what is new.

    Between `wait` and `caught_up`, new rows are held back because the state is being read.
    """

    def __init__(self, outbox: Outbox) -> None:
        self.outbox = outbox
        self._role = Role.VIEWER  # The role of the person, as it was when the state was read.
        self._seq = self._mask_seq = 0  # the newest Change.id and Mask.id that were sent to it
        self._back: list[change_feed.Delta] | None = []
        self._progress: dict[int, tuple[int, float]] = {}  # Round.id -> frames done and seconds, as last sent

    def take(self, delta: change_feed.Delta) -> None:
        if self._back is not None:
            self._back.append(delta)
            return
        # A poll that began before the state was read may end after it, and contain rows that the state contains too.
        masks = [mask for mask in delta.masks if mask.seq > self._mask_seq]
        changes = [change for change in delta.changes if change.seq > self._seq]
        self.outbox.masks(masks)
        self.outbox.tell(change_feed.for_role(self._role, changes))
        self._mask_seq = max([self._mask_seq, *(mask.seq for mask in masks)])
        self._seq = max([self._seq, *(change.seq for change in changes)])
        for progress in delta.progress:
            done, seconds = self._progress.get(progress.round, (-1, 0.0))
            if progress.done != done or progress.seconds - seconds > PROGRESS_SECONDS:
                self._progress = {progress.round: (progress.done, progress.seconds)}
                self.outbox.hint("progress", progress.model_dump_json())

    def caught_up(self, seq: int, mask_seq: int, role: Role) -> None:
        """Note that the rows up to `seq` and the masks up to `mask_seq` have been sent to a person with this role.

        Then send what was held back.
        """
        self._seq, self._mask_seq, self._role = seq, mask_seq, role
        back, self._back = self._back or [], None
        for delta in back:
            self.take(delta)

    def wait(self) -> None:
        """Hold back new rows, because a state is being read."""
        self._back = []


class Follower:
    """Polls one video for the sockets that are open in this process."""

    def __init__(self, video_id: int) -> None:
        self.video_id = video_id
        self.subscribers: set[Subscriber] = set()
        self.board = PresenceBoard()
        self.started = asyncio.Event()
        self._woken = asyncio.Event()
        self._presence_changed = asyncio.Event()
        self._leases = NO_LEASES  # The message that tells who draws on which object, as it was sent last.
        self._leases_read = 0.0
        self._others_know = False
        self._process = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._tasks = [asyncio.create_task(self._follow()), asyncio.create_task(self._tell_presence())]
        if settings.TEAM_MODE:
            self._tasks.append(asyncio.create_task(self._hear_others()))

    def wake(self) -> None:
        self._woken.set()

    def set_presence(self, subscriber: Subscriber, person: Person, frame: int) -> None:
        self.board.set_presence(subscriber, person, frame)
        self._note_presence_change()

    def leave(self, subscriber: Subscriber) -> None:
        self.subscribers.discard(subscriber)
        self.board.leave(subscriber)
        self._note_presence_change()

    def _note_presence_change(self) -> None:
        self._others_know = False
        self._presence_changed.set()

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _follow(self) -> None:
        cursor: change_feed.Cursor | None = None
        while True:
            pause = IDLE_SECONDS
            self._woken.clear()
            try:
                if cursor is None:
                    cursor = await in_thread(change_feed.cursor_at_end, self.video_id)
                    self.started.set()
                delta = await in_thread(change_feed.poll, self.video_id, cursor)
                pause = BUSY_SECONDS if delta.running else IDLE_SECONDS
                if delta.changes or delta.masks or delta.progress:
                    for subscriber in tuple(self.subscribers):
                        subscriber.take(delta)
                await self._tell_leases()
            except DatabaseError as error:
                log.warning("poll_failed", video=self.video_id, error=str(error))
            await _set_within(self._woken, pause)

    async def _tell_leases(self) -> None:
        """Send who draws on which object if that has changed. The database is asked once a second at most."""
        now = asyncio.get_running_loop().time()
        if now - self._leases_read < LEASES_SECONDS:
            return
        self._leases_read = now
        text = await in_thread(_leases_message, self.video_id)
        if text != self._leases:
            self._leases = text
            for subscriber in tuple(self.subscribers):
                subscriber.outbox.hint("leases", text)

    async def _tell_presence(self) -> None:
        told = ""
        while True:
            if not await _set_within(self._presence_changed, REPEAT_SECONDS):
                self._others_know = False
            self._presence_changed.clear()
            if settings.TEAM_MODE and not self._others_know:
                self._others_know = True
                await self._tell_others()
            text = self.board.message().model_dump_json()
            if text != told:
                told = text
                for subscriber in tuple(self.subscribers):
                    subscriber.outbox.hint("presence", text)
            await asyncio.sleep(PRESENCE_SECONDS)

    def greet(self, subscriber: Subscriber) -> None:
        """Send a new subscriber the viewers, and who draws on which object, although they have not changed."""
        if self._leases != NO_LEASES:
            subscriber.outbox.hint("leases", self._leases)
        subscriber.outbox.hint("presence", self.board.message().model_dump_json())

    # --- team mode --------------------------------------------------------------------------------------------------

    async def _tell_others(self) -> None:
        message = {"type": "video.presence", "process": self._process, "viewers": self.board.own()}
        try:
            await get_channel_layer().group_send(notify.group_of(self.video_id), message)
        except Exception as error:  # the channel layer has error classes of its own
            self._others_know = False
            log.warning("presence_not_told", video=self.video_id, error=str(error), kind=type(error).__name__)

    async def _hear_others(self) -> None:
        layer, channel, pause = get_channel_layer(), None, IDLE_SECONDS
        while True:
            try:
                # The channel is made once: the layer would keep filling channels that nobody reads.
                channel = channel or await layer.new_channel()
                await layer.group_add(notify.group_of(self.video_id), channel)
                self._note_presence_change()  # announces this process, so that the others answer
                while True:
                    self._heard(await layer.receive(channel))
                    pause = IDLE_SECONDS
            except Exception as error:  # Redis is away; polling every second goes on
                log.warning("channel_layer_lost", video=self.video_id, error=str(error), kind=type(error).__name__)
                await asyncio.sleep(pause)
                pause = min(2 * pause, REPEAT_SECONDS)

    def _heard(self, message: dict[str, object]) -> None:
        if message["type"] == "video.changed":
            self.wake()
        elif message["type"] == "video.presence" and message["process"] != self._process:
            if self.board.hear(str(message["process"]), message["viewers"]):  # type: ignore[arg-type]
                self._others_know = False
            self._presence_changed.set()


def _leases_message(video_id: int) -> str:
    return Leases(type="leases", leases=leases_of(video_id)).model_dump_json()


async def _set_within(event: asyncio.Event, seconds: float) -> bool:
    # asyncio.wait_for would swallow a cancellation that comes together with the event (before Python 3.12).
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False


class Hub:
    """The followers of this process, and the state of the workers, which is read once for all followers."""

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
            self._watch = asyncio.create_task(self._watch_worker())
            self._listen_to_bell()
        follower = self._followers.get(video_id)
        if follower is None:
            follower = self._followers[video_id] = Follower(video_id)
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

    async def _watch_worker(self) -> None:
        while True:
            await asyncio.sleep(IDLE_SECONDS)
            before = self.worker
            try:
                now = await self.worker_status()
            except DatabaseError as error:
                log.warning("worker_not_looked_for", error=str(error))
                continue
            if now != before:
                text = WorkerChanged(type="worker", worker=now).model_dump_json()
                for follower in tuple(self._followers.values()):
                    for subscriber in tuple(follower.subscribers):
                        subscriber.outbox.hint("worker", text)
