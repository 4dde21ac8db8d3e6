"""Rings after a commit: the workers for a round that waits, the sockets' followers for a video that changed.

A ring carries an id and nothing else. One that is lost costs time, never truth: the sweep rings workers again, and
followers look by themselves every second.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from functools import partial

import structlog
from celery import current_app
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import transaction

log = structlog.get_logger(__name__)

RUN_ROUND = "inference.run_round"
SCORE_ROUND = "inference.score_round"
Listener = Callable[[int], None]
_listeners: set[Listener] = set()


def notify_worker(round_id: int) -> None:
    """Ask the workers to claim a round, once the transaction at hand has committed."""
    # Robust: the row is the truth. A broker that is away must not make a stored round look refused.
    transaction.on_commit(partial(current_app.send_task, RUN_ROUND, args=[round_id]), robust=True)


def notify_scorer(round_id: int) -> None:
    """Ask a worker for media to compare a round with ground truth, once the transaction at hand has committed."""
    transaction.on_commit(partial(current_app.send_task, SCORE_ROUND, args=[round_id], queue="media"), robust=True)


def notify_followers(video_id: int) -> None:
    """Tell whoever follows a video that rows were added, once the transaction at hand has committed."""
    transaction.on_commit(partial(_announce, video_id), robust=True)


def listen(listener: Listener) -> None:
    """Have `listener(video_id)` called, from any thread, when this process changes a video."""
    _listeners.add(listener)


def group_of(video_id: int) -> str:
    """The channel layer's group that hears of changes that other processes make (team mode)."""
    return f"video.{video_id}"


def _announce(video_id: int) -> None:
    for listener in tuple(_listeners):
        listener(video_id)
    if settings.TEAM_MODE:
        _background.send(video_id)


class _Background:
    """A thread with an event loop: the channel layer keeps one connection for each loop, and callers have none."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pid = 0
        self._loop: asyncio.AbstractEventLoop

    def send(self, video_id: int) -> None:
        with self._lock:
            if self._pid != os.getpid():  # first use, or first use after a fork
                self._loop, self._pid = asyncio.new_event_loop(), os.getpid()
                threading.Thread(target=self._loop.run_forever, name="notify", daemon=True).start()
        layer = get_channel_layer()
        message = {"type": "video.changed", "video": video_id}
        future = asyncio.run_coroutine_threadsafe(layer.group_send(group_of(video_id), message), self._loop)
        future.add_done_callback(partial(_report, video_id))


def _report(video_id: int, future: object) -> None:
    error = future.exception()  # type: ignore[attr-defined]
    if error is not None:
        log.warning("notification_lost", video=video_id, error=str(error))


_background = _Background()
