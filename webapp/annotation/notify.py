"""After a transaction has committed, notifies workers of what waits for them, and followers of a video that changed.

A follower is the part of the web process that reads the change log of a video for its sockets. A notification carries
only the id of a row. A lost one costs only time: the sweep notifies workers again, the page asks again for a preview,
and followers look for new rows every second without being told.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from functools import partial
from pathlib import Path

import structlog
from channels.layers import get_channel_layer
from django.conf import settings

from webapp.tasks.bell import ring
from webapp.tasks.sending import after_commit, send_task

log = structlog.get_logger(__name__)

RUN_ROUND = "inference.run_round"
SCORE_ROUND = "inference.score_round"
PREVIEW = "inference.preview"
MOST_UNSENT = 100
SEND_SECONDS = 5.0
Listener = Callable[[int], None]
_listeners: set[Listener] = set()


def notify_worker(round_id: int) -> None:
    """Tell the workers, once the current transaction has committed, that a round waits."""
    send_task(RUN_ROUND, round_id)


def notify_previewer(preview_id: int) -> None:
    """Tell the workers, once the current transaction has committed, that somebody waits for a preview."""
    send_task(PREVIEW, preview_id)


def notify_scorer(round_id: int) -> None:
    """Tell a media worker, once the current transaction has committed, that a round can be compared
    with ground truth.
    """
    send_task(SCORE_ROUND, round_id, queue="media")


def notify_followers(video_id: int) -> None:
    """Tell the followers of a video, once the current transaction has committed, that its change log has new rows."""
    after_commit(_announce, video_id)


def listen(listener: Listener) -> None:
    """Register a function of this process that is called with the id of each video whose change log has new rows.

    It is called from any thread, for changes that this process wrote.
    """
    _listeners.add(listener)


def group_of(video_id: int) -> str:
    """Return the channel-layer group through which, in team mode, other processes are told of changes of a video."""
    return f"video.{video_id}"


def is_own(message: Mapping[str, object]) -> bool:
    """Return whether this process sent a notification. Redis delivers it to its sender, too, whose listeners have been
    called by then.
    """
    return _background.sent(message)


def bells() -> Path:
    """Return the folder of the named pipes by which, in embedded mode, workers tell the web process of changes."""
    return Path(settings.HOME) / "queue" / "followers"


def _announce(video_id: int) -> None:
    for listener in tuple(_listeners):
        listener(video_id)
    if settings.TEAM_MODE:
        _background.send(video_id)
    elif not _listeners:  # The process with listeners is the only web process, which has heard it by now.
        ring(bells(), str(video_id))


class _Background:
    """A thread with an event loop that sends to the channel layer.

    The channel layer keeps its connections per event loop, and its callers here have no loop. At most `MOST_UNSENT`
    notifications wait, so that they do not pile up while Redis hangs; further ones are dropped, because followers read
    new rows every second anyway. `process` names this process in the notifications.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pid = 0
        self._loop: asyncio.AbstractEventLoop
        self._unsent: set[Future[None]] = set()
        self._waiting: set[int] = set()  # The videos whose notification is not being sent yet.
        self.process = ""

    def send(self, video_id: int) -> None:
        """Tell the other processes soon that a video changed. Returns at once.

        A transaction may log several changes of a video, and one notification tells of all of them.
        """
        with self._lock:
            if self._pid != os.getpid():  # This is the first use, or the first one after a fork.
                self._start()
            if video_id in self._waiting:
                return
            if len(self._unsent) >= MOST_UNSENT:
                log.warning("notification_lost", video=video_id, error="too many are unsent")
                return
            self._waiting.add(video_id)
        future = asyncio.run_coroutine_threadsafe(self._tell_group(video_id), self._loop)
        self._unsent.add(future)
        future.add_done_callback(self._unsent.discard)
        future.add_done_callback(partial(_report, video_id))

    def sent(self, message: Mapping[str, object]) -> bool:
        """Return whether this process sent a notification. A process that was just forked has sent none yet."""
        return self._pid == os.getpid() and message.get("process") == self.process

    def _start(self) -> None:
        self.process = secrets.token_hex(8)
        self._loop, self._pid, self._unsent, self._waiting = asyncio.new_event_loop(), os.getpid(), set(), set()
        threading.Thread(target=self._loop.run_forever, name="notify", daemon=True).start()

    async def _tell_group(self, video_id: int) -> None:
        with self._lock:
            self._waiting.discard(video_id)  # A change that is committed from now on needs another notification.
        message = {"type": "video.changed", "video": video_id, "process": self.process}
        async with asyncio.timeout(SEND_SECONDS):
            await get_channel_layer().group_send(group_of(video_id), message)


def _report(video_id: int, future: Future[None]) -> None:
    error = future.exception()
    if error is not None:
        log.warning("notification_lost", video=video_id, error=repr(error))


_background = _Background()
