"""What a worker does beside its tasks: heartbeats, sweeps (searches for tasks of lost workers), tidying, warming up.

Heartbeats, sweeps and tidying run in a thread, because an engine may occupy the main thread for minutes. The thread
starts with every Celery worker. Warming up means loading the default engine at the start.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import structlog
from celery.signals import (
    celeryd_after_setup,
    task_postrun,
    task_prerun,
    worker_init,
    worker_ready,
    worker_shutdown,
    worker_shutting_down,
)
from django.conf import settings
from django.db import connection

from webapp.annotation.claims import ROUNDS
from webapp.annotation.export.jobs import EXPORTS
from webapp.annotation.imports.lease import sweep_mask_imports
from webapp.annotation.receipts import forget_old
from webapp.annotation.scores import sweep_scores
from webapp.annotation.to_fix import sweep_to_fix
from webapp.inference import recovery, workers
from webapp.inference.affinity import queue_of
from webapp.inference.memory import memory_now
from webapp.jobs.due import notify_due
from webapp.notifications.mail import sweep_mail
from webapp.notifications.notify import forget_old as forget_old_notifications
from webapp.overview.removal import sweep_trash
from webapp.projects.invitation_mail import sweep_invitations
from webapp.quality.consensus_lease import CONSENSUS
from webapp.repetition.keeping import forget_old_answers
from webapp.storage.failure import WrongFiles
from webapp.tasks.intake import intake
from webapp.videos.belonging import refuse_wrong_files_or_later
from webapp.videos.recovery import remove_files_of_ended, report_orphans, sweep_imports
from webapp.webhooks.deliveries import DELIVERIES, forget_old_deliveries

log = structlog.get_logger(__name__)

BEAT_SECONDS = 1.0
SWEEP_SECONDS = 2.0
TIDY_SECONDS = 60.0
ORPHANS_SECONDS = 3600.0


class WorkerHeartbeat(threading.Thread):
    """A thread that stores the heartbeat of this process and sweeps regularly, until `stop` is called."""

    def __init__(self, device: str) -> None:
        super().__init__(name="heartbeat", daemon=True)
        self.device = device  # Empty for a worker that computes no rounds.
        self._announced = False
        self._ended = threading.Event()
        self._ending = False

    def end_soon(self) -> None:
        """Note that this worker ends after its task. A signal handler may call this: it only sets a value."""
        self._ending = True

    def stop(self) -> None:
        self._ended.set()
        self.join(timeout=5)

    def run(self) -> None:
        swept = tidied = float("-inf")
        looked_for_orphans = time.monotonic()
        while True:
            _try(self._beat)
            if time.monotonic() - swept >= SWEEP_SECONDS:
                self._sweep(starting=swept < 0)
                swept = time.monotonic()
            if time.monotonic() - tidied >= TIDY_SECONDS:
                _try(
                    recovery.remove_spilled_features,
                    forget_old,
                    sweep_scores,
                    sweep_to_fix,
                    sweep_trash,
                    notify_due,
                    forget_old_notifications,
                    sweep_mail,
                    sweep_invitations,
                    forget_old_deliveries,
                    forget_old_answers,
                )
                tidied = time.monotonic()
            if time.monotonic() - looked_for_orphans >= ORPHANS_SECONDS:
                _try(remove_files_of_ended, report_orphans)
                looked_for_orphans = time.monotonic()
            if self._ended.wait(BEAT_SECONDS):
                break
        workers.withdraw()
        connection.close()

    def _sweep(self, *, starting: bool) -> None:
        for sweep in (
            ROUNDS.sweep,
            sweep_imports,
            EXPORTS.sweep,
            sweep_mask_imports,
            CONSENSUS.sweep,
            DELIVERIES.sweep,
        ):
            _try(partial(sweep, starting=starting))

    def _beat(self) -> None:
        if not self._announced:
            workers.announce(self.device)
            self._announced = True
        else:
            memory = memory_now(self.device)
            drained = workers.beat(ending=self._ending, task=_running.get("task", ""), memory=memory)
            intake.follow(draining=drained, ending=self._ending)


def _try(*steps: Callable[[], object]) -> None:
    """Run each step even if others fail, and log errors.

    The thread must go on even while the database cannot be reached.
    """
    for step in steps:
        try:
            step()
        except Exception as error:
            log.warning("heartbeat_step_failed", step=repr(step), error=str(error), kind=type(error).__name__)
            connection.close()


_heartbeats: list[WorkerHeartbeat] = []
_running: dict[str, str] = {}  # The name of the task that this process runs, under the key "task".
_warm: list[Any] = []  # The engine that was warmed up; while it is here, its networks stay loaded.
_warming: list[threading.Thread] = []
WARM_UP_SECONDS = (
    5.0  # A worker that ends waits this long for the warm-up, because Python must not end while libraries load.
)


def use_threads(count: int) -> None:
    """Limit the number of threads that the numerical libraries of engines use; with 0 they use one thread for each
    core.

    This must be called before those libraries are imported.
    """
    if count:
        for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
            os.environ[name] = str(count)
        import cv2

        cv2.setNumThreads(count)


@worker_init.connect
def _refuse_wrong_files(**rest: Any) -> None:
    """End the worker with status 2 if the stored files do not belong to the database.

    If the database or the storage is away, the worker starts, and its tasks wait.
    """
    try:
        refuse_wrong_files_or_later()
    except WrongFiles as problem:
        print(f"maskwright: {problem}", file=sys.stderr)
        sys.exit(2)


@celeryd_after_setup.connect
def _refuse_missing_gpu(instance: Any, **rest: Any) -> None:
    """End a worker for rounds with status 2 if MASKWRIGHT_DEVICE names a GPU that cannot be used here.

    Otherwise it would claim rounds, and each of them would fail.
    """
    from webapp.inference.device import missing_gpu

    if "rounds" in instance.app.amqp.queues.consume_from and (problem := missing_gpu()):
        print(f"maskwright: {problem}", file=sys.stderr)
        sys.exit(2)


@worker_ready.connect
def _start(sender: Any, **rest: Any) -> None:
    from webapp.inference import runner

    use_threads(settings.CONFIG["MASKWRIGHT_TORCH_THREADS"])
    computes = "rounds" in sender.app.amqp.queues.consume_from
    heartbeat = WorkerHeartbeat(runner.device_name() if computes else "")
    _heartbeats.append(heartbeat)
    heartbeat.start()
    queues = list(sender.app.amqp.queues.consume_from)
    if computes and settings.TEAM_MODE:
        queues.append(queue_of(workers.own_name()))
        sender.app.amqp.queues[queues[-1]]  # This declares the queue with the same options as the sender does.
        sender.add_task_queue(queues[-1])
    intake.connect(sender, queues, workers.is_draining)
    if computes and settings.CONFIG["MASKWRIGHT_WARM_UP"]:
        # A thread does it, so that rounds wait only for the networks that they use themselves.
        _warming.append(threading.Thread(target=_warm_up, name="warm-up", daemon=True))
        _warming[-1].start()


def _warm_up() -> None:
    from webapp.inference import runner

    try:
        _warm.append(runner.warm_up())
    except Exception as error:  # A round that fails for the same reason tells its author.
        log.warning("warm_up_failed", error=str(error), kind=type(error).__name__)


@task_prerun.connect
def _task_begins(task: Any, **rest: Any) -> None:
    _running["task"] = task.name


@task_postrun.connect
def _task_ends(**rest: Any) -> None:
    _running.clear()


@worker_shutting_down.connect
def _drain(**rest: Any) -> None:
    """Let the next heartbeat say that this worker, which got SIGTERM, ends when its task is done."""
    for heartbeat in _heartbeats:
        heartbeat.end_soon()


@worker_shutdown.connect
def _stop(**rest: Any) -> None:
    for heartbeat in _heartbeats:
        heartbeat.stop()
    for thread in _warming:
        thread.join(WARM_UP_SECONDS)
