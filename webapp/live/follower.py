"""Followers. A web process has one for each video that somebody has open in it.

A follower reads new rows of the change log and new masks, and puts them into the outboxes of the video's sockets. It
does so when it is notified, by this process or by another one: through a bell in embedded mode, and through the channel
layer in team mode. While a round runs it also polls twice a second (more often if workers cannot notify this
process), and the hub (hub.py) checks once a second which videos have changed. A lost notification therefore costs one
second at most.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from dataclasses import dataclass

import structlog
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import DatabaseError

from webapp.annotation import notify
from webapp.annotation.schemas import Person
from webapp.jobs.leases import Holding, held_by, held_by_call, leases_of
from webapp.live import change_feed
from webapp.live.outbox import Outbox
from webapp.live.presence import PresenceBoard
from webapp.live.protocol import Leases
from webapp.live.threads import in_thread
from webapp.prepared import read_ahead
from webapp.projects.models import Role

log = structlog.get_logger(__name__)

BUSY_SECONDS = 0.5  # between two polls while a round runs, in case a notification is lost
DEAF_SECONDS = 0.1  # between two polls while a round waits or runs, where workers cannot notify this process
GAP_SECONDS = 0.03  # between two polls, so that notifications in quick succession lead to one poll
IDLE_SECONDS = 1.0
PRESENCE_SECONDS = 0.2  # between two presence messages; scrubbing changes the frame many times a second
LEASES_SECONDS = 0.9
PROGRESS_SECONDS = 0.5  # after this time progress is told even if no frame is done, because it has the elapsed time
REPEAT_SECONDS = 10.0  # in team mode; other processes forget viewers whose list is not sent again


@dataclass(frozen=True)
class Held:
    """The leases of a video, and the message that tells who draws on which object."""

    holdings: tuple[Holding, ...]
    message: str


NOTHING_HELD = Held((), Leases(type="leases", leases=[]).model_dump_json())


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
    """Reads what is new in one video (changes, masks, leases, viewers) and sends it to this process's sockets on it.

    `deaf` is true if workers cannot notify this process. It then polls the database more often.
    """

    def __init__(self, video_id: int, *, deaf: bool = False) -> None:
        self.video_id = video_id
        self.subscribers: set[Subscriber] = set()
        self.board = PresenceBoard()
        self.started = asyncio.Event()
        self._woken, self._next_wake = asyncio.Event(), asyncio.Event()
        self._presence_changed = asyncio.Event()
        self._seq = 0  # The newest Change.id that was read.
        self._held = NOTHING_HELD  # The leases, as they were sent last.
        self._leases_read = 0.0
        self._deaf = deaf
        self._others_know = False
        self._process = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._tasks = [asyncio.create_task(self._follow()), asyncio.create_task(self._tell_presence())]
        if settings.TEAM_MODE:
            self._tasks.append(asyncio.create_task(self._hear_others()))

    def wake(self) -> None:
        self._woken.set()
        woken, self._next_wake = self._next_wake, asyncio.Event()
        woken.set()

    def next_wake(self) -> asyncio.Event:
        """Return an event that is set when this follower is woken the next time."""
        return self._next_wake

    def compare(self, newest: int, holdings: tuple[Holding, ...]) -> None:
        """Wake this follower unless it has read `newest`, the video's newest Change.id, and `holdings`, its leases."""
        if holdings != self._held.holdings:
            self._leases_read = 0.0
            self.wake()
        if newest > self._seq:
            self.wake()

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
            pause: float | None = None
            self._woken.clear()
            try:
                if cursor is None:
                    cursor = await in_thread(change_feed.cursor_at_end, self.video_id)
                    self._seq = cursor.seq
                    self.started.set()
                now = asyncio.get_running_loop().time()
                with_leases = now - self._leases_read >= LEASES_SECONDS
                delta, held = await in_thread(self._read, cursor, with_leases)
                self._leases_read = now if with_leases else self._leases_read
                self._seq = cursor.seq
                pause = self._pause(delta)
                self._tell(delta)
                if held is not None:
                    self._tell_leases(held)
                if delta.more:
                    self.wake()
                await asyncio.sleep(GAP_SECONDS)
            except DatabaseError as error:
                pause = IDLE_SECONDS
                log.warning("poll_failed", video=self.video_id, error=str(error))
            await set_within(self._woken, pause)

    def _read(self, cursor: change_feed.Cursor, with_leases: bool) -> tuple[change_feed.Delta, Held | None]:
        """Return what is new and, `with_leases`, the leases if they have changed.

        Reading the change log moves the cursor, so it comes last: nothing may fail after it.
        """
        held = None
        about_leases = [held_by_call(self.video_id)] if with_leases else []
        with read_ahead(*about_leases, *change_feed.poll_calls(self.video_id, cursor)):
            if with_leases:
                holdings = held_by(self.video_id)
                if holdings != self._held.holdings:
                    held = Held(holdings, _leases_message(self.video_id))
            return change_feed.poll(self.video_id, cursor), held

    def _pause(self, delta: change_feed.Delta) -> float | None:
        """Return after how many seconds to poll again; None: only when something happens."""
        if self._deaf:
            return DEAF_SECONDS if delta.running else IDLE_SECONDS
        return BUSY_SECONDS if delta.progress else None

    def _tell(self, delta: change_feed.Delta) -> None:
        if delta.changes or delta.masks or delta.progress:
            for subscriber in tuple(self.subscribers):
                subscriber.take(delta)

    def _tell_leases(self, held: Held) -> None:
        self._held = held
        for subscriber in tuple(self.subscribers):
            subscriber.outbox.hint("leases", held.message)

    async def _tell_presence(self) -> None:
        told = ""
        while True:
            if not await set_within(self._presence_changed, REPEAT_SECONDS):
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
        if self._held.holdings:
            subscriber.outbox.hint("leases", self._held.message)
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
            if not notify.is_own(message):
                self.wake()
        elif message["type"] == "video.presence" and message["process"] != self._process:
            if self.board.hear(str(message["process"]), message["viewers"]):  # type: ignore[arg-type]
                self._others_know = False
            self._presence_changed.set()


def _leases_message(video_id: int) -> str:
    return Leases(type="leases", leases=leases_of(video_id)).model_dump_json()


async def set_within(event: asyncio.Event, seconds: float | None) -> bool:
    """Wait until an event is set, for `seconds` at most if they are not None, and return whether it is set."""
    if event.is_set() or seconds is None:
        return await event.wait()
    # asyncio.wait_for would swallow a cancellation that comes together with the event (before Python 3.12).
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False
