"""Draining: a worker finishes its task and begins no other one.

An administrator drains a worker before its machine is switched off, and a worker that gets SIGTERM drains itself. The
row of the worker says so: `draining` is read with each heartbeat. The worker then no longer reads the queues of the
broker, and a task that it got before it noticed goes back to the common queue.
"""

from __future__ import annotations

import threading
from typing import Any

import structlog
from celery import current_app

from webapp.inference import workers
from webapp.inference.models import Worker
from webapp.tasks.worker_names import own_name

log = structlog.get_logger(__name__)


class Intake:
    """The queues that this worker reads. `consumer` is Celery's; None in a process that is no worker.

    Celery's consumer may be used by the main thread only, so the other thread asks it to do the change.
    """

    def __init__(self) -> None:
        self._consumer: Any = None
        self._queues: list[str] = []
        self._closed = False
        self._lock = threading.Lock()

    def connect(self, consumer: Any, queues: list[str]) -> None:
        """Remember the consumer of this worker, and the names of the queues that it reads."""
        self._consumer, self._queues = consumer, queues

    def follow(self, *, draining: bool) -> None:
        """Let the worker stop reading its queues while `draining`, or read them again. Any thread may call this."""
        with self._lock:
            if draining == self._closed or self._consumer is None:
                return
            self._closed = draining
        self._consumer.call_soon(self._close if draining else self._open)
        log.warning("worker_drains" if draining else "worker_takes_tasks_again", worker=own_name())

    def _close(self) -> None:
        for queue in self._queues:
            self._consumer.cancel_task_queue(queue)

    def _open(self) -> None:
        for queue in self._queues:
            self._consumer.add_task_queue(queue)

    def refuse(self, task: str, row: int) -> bool:
        """Return False if this worker may begin a task. Otherwise send the task back to the common queue.

        Called in the main thread at the beginning of a task. The queues are closed first, so that the task does not
        come back to this worker.
        """
        if self._consumer is None or not workers.is_draining():
            return False
        with self._lock:
            self._closed = True
        self._close()
        current_app.send_task(task, args=[row])
        return True


intake = Intake()


def drain(name: str, *, draining: bool) -> bool:
    """Ask a worker to finish its task and begin no other one, or to begin tasks again.

    Returns whether this changed anything. Raises Worker.DoesNotExist if there is no such worker.
    """
    Worker.objects.get(name=name)
    return bool(Worker.objects.filter(name=name).exclude(draining=draining).update(draining=draining))
