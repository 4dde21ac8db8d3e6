"""Work after the commit of a transaction: tasks are sent to workers, files are removed.

The committed row is what counts. A broker that does not answer only delays the work until the sweep sends the task
again: a request whose row was stored never fails because of it, and no thread of the web process waits for it.
"""

from __future__ import annotations

import atexit
import os
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog
from celery import current_app
from django.conf import settings
from django.db import transaction

log = structlog.get_logger(__name__)

MOST_UNSENT = 1000  # The most tasks that wait for an unreachable broker. Further tasks are left to the sweep.
EXIT_SECONDS = 2.0


def after_commit(function: Callable[..., object], *arguments: object) -> None:
    """Call `function` once the current transaction has committed, or at once if there is none.

    An error of `function` is logged, not raised. Django's own `on_commit(robust=True)` is not used, because its logging
    needs the attribute `__qualname__`, which a `functools.partial` does not have.
    """

    def call() -> None:
        try:
            function(*arguments)
        except Exception:
            log.exception("failed_after_commit", function=getattr(function, "__qualname__", repr(function)))

    transaction.on_commit(call)


def send_task(name: str, *arguments: Any, queue: str | None = None) -> None:
    """Send a task to the workers once the current transaction has committed. `name` is that of the Celery task.

    In team mode another thread sends it, because it may take seconds to notice that a broker hangs.
    """
    message = _Message(name, arguments, queue)
    if settings.TEAM_MODE:
        after_commit(_sender.put, message)
    else:
        after_commit(message.send)


@dataclass(frozen=True)
class _Message:
    name: str
    arguments: tuple[Any, ...]
    queue: str | None

    def send(self) -> None:
        options = {"queue": self.queue} if self.queue else {}
        # Celery need not retry, because the sweep sends the task again.
        current_app.send_task(self.name, args=list(self.arguments), retry=False, **options)


class _Sender:
    """A thread that sends tasks one after the other.

    The first task starts the thread. In a process that was forked, the first task starts another thread.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pid = 0
        self._unsent: queue.Queue[_Message] = queue.Queue(MOST_UNSENT)

    def put(self, message: _Message) -> None:
        """Add a message to the queue of the thread that sends them. If too many wait, it is dropped and logged."""
        with self._lock:
            if self._pid != os.getpid():
                self._unsent = queue.Queue(MOST_UNSENT)
                self._pid = os.getpid()
                threading.Thread(target=self._send_all, args=(self._unsent,), name="send-tasks", daemon=True).start()
        try:
            self._unsent.put_nowait(message)
        except queue.Full:
            log.warning("task_not_sent", task=message.name, arguments=message.arguments, error="too many are unsent")

    def finish(self) -> None:
        """Wait up to two seconds until the waiting messages are sent, because this process ends."""
        if self._pid != os.getpid():
            return
        done = threading.Thread(target=self._unsent.join, daemon=True)
        done.start()
        done.join(EXIT_SECONDS)

    @staticmethod
    def _send_all(unsent: queue.Queue[_Message]) -> None:
        while True:
            message = unsent.get()
            try:
                message.send()
            except Exception as error:  # kombu, redis and the system each raise classes of their own.
                log.warning("task_not_sent", task=message.name, arguments=message.arguments, error=repr(error))
            finally:
                unsent.task_done()


_sender = _Sender()
atexit.register(_sender.finish)
