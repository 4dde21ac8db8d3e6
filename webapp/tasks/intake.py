"""Keeps a worker from beginning tasks while it is drained.

An administrator drains a worker before its machine is switched off, and a worker that gets SIGTERM drains itself. The
column `Worker.draining` says so (webapp/inference/workers.py). The worker then finishes its task and no longer reads
the queues of the broker. A task that it got before it noticed goes back to the common queue.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import structlog
from celery import Task, current_app

from webapp.tasks.worker_names import own_name

log = structlog.get_logger(__name__)


class Intake:
    """Decides from which queues this worker takes tasks. While the worker drains, it refuses the tasks that it got.

    In a process that is no worker, which never calls `connect`, the other methods do nothing and refuse nothing.

    Celery's consumer may be used by the main thread only, so other threads ask that thread to change the queues.
    """

    def __init__(self) -> None:
        self._consumer: Any = None
        self._queues: list[str] = []
        self._is_draining: Callable[[], bool] = lambda: False
        self._closed = False
        self._lock = threading.Lock()

    def connect(self, consumer: Any, queues: list[str], is_draining: Callable[[], bool]) -> None:
        """Remember Celery's consumer, the names of the queues that this worker reads, and how to ask if it drains."""
        self._consumer, self._queues, self._is_draining = consumer, queues, is_draining

    def follow(self, *, draining: bool, ending: bool = False) -> None:
        """Let the worker stop reading its queues while `draining`, or read them again. Any thread may call this.

        With `ending` no warning is logged, because somebody has told the worker to end.
        """
        with self._lock:
            if draining == self._closed or self._consumer is None:
                return
            self._closed = draining
        self._consumer.call_soon(self._close if draining else self._open)
        tell = log.info if ending else log.warning
        tell("worker_drains" if draining else "worker_takes_tasks_again", worker=own_name())

    def _close(self) -> None:
        for queue in self._queues:
            self._consumer.cancel_task_queue(queue)

    def _open(self) -> None:
        for queue in self._queues:
            self._consumer.add_task_queue(queue)

    def refuse(self, task: str, arguments: tuple[Any, ...]) -> bool:
        """Return False if this worker may begin a task. Otherwise send the task back to the common queue.

        Called in the main thread at the beginning of a task. The queues are closed first, so that the task does not
        come back to this worker. Only the first argument, the id of a row, is sent: a further one says that another
        worker chose this worker.
        """
        if self._consumer is None or not self._is_draining():
            return False
        with self._lock:
            self._closed = True
        self._close()
        current_app.send_task(task, args=list(arguments[:1]))
        return True


intake = Intake()


class RefusableTask(Task):
    """A Celery task that a draining worker sends back instead of running it."""

    abstract = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return None if intake.refuse(self.name, args) else super().__call__(*args, **kwargs)
