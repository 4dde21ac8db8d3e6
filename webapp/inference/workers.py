"""The rows of workers, and whether one of those that compute rounds is alive."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.db.models.functions import Now

from webapp.inference.memory import Memory
from webapp.inference.models import Worker
from webapp.live.protocol import WorkerStatus
from webapp.prepared import Query
from webapp.tasks.models import PausedQueue, Queue
from webapp.tasks.worker_names import is_dead, own_name

# A worker stores a heartbeat every second; after this time without one, the page says that it is gone.
ALIVE_WITHIN = timedelta(seconds=4)
FORGOTTEN_AFTER = timedelta(days=1)
UNKNOWN = Memory()


def announce(device: str) -> None:
    """Write the row of this process into the table of workers, and delete rows without a heartbeat for a day.

    `device` is what it computes rounds on, and empty for a worker that does imports and exports.
    """
    Worker.objects.filter(heartbeat__lt=Now() - FORGOTTEN_AFTER).delete()
    row = {"pid": os.getpid(), "device": device, "heartbeat": Now(), "started_at": Now(), "draining": False, "task": ""}
    Worker.objects.update_or_create(name=own_name(), defaults=row)


def beat(*, ending: bool = False, task: str = "", memory: Memory = UNKNOWN) -> bool:
    """Store the heartbeat of this process, and return whether it is being drained: it then begins no further task. With
    `ending` it is drained from now on.

    `task` is the name of the task that it runs, and `memory` what it takes.
    """
    columns: dict[str, Any] = {"draining": True} if ending else {}
    columns |= {"memory": memory.process, "device_memory": memory.device, "device_memory_size": memory.device_size}
    Worker.objects.filter(name=own_name()).update(heartbeat=Now(), task=task, **columns)
    return is_draining()


def is_draining() -> bool:
    """Return whether this process begins no further tasks."""
    return bool(_DRAINING.rows(name=own_name()))


def drain(name: str, *, draining: bool) -> bool:
    """Ask a worker to finish its task and begin no other one, or to begin tasks again.

    Returns whether this changed anything. Raises Worker.DoesNotExist if there is no such worker.
    """
    Worker.objects.get(name=name)
    return bool(Worker.objects.filter(name=name).exclude(draining=draining).update(draining=draining))


def withdraw() -> None:
    """Delete the row of this process, which is about to end."""
    Worker.objects.filter(name=own_name()).delete()


def workers_of_all_kinds() -> QuerySet[Worker]:
    """Return the workers whose heartbeat is fresh."""
    return Worker.objects.filter(heartbeat__gte=Now() - ALIVE_WITHIN)


def alive_workers() -> QuerySet[Worker]:
    """Return the workers for rounds whose heartbeat is fresh."""
    return workers_of_all_kinds().exclude(device="")


_DRAINING = Query(lambda name: Worker.objects.filter(name=name, draining=True).values_list("pk")[:1], name=str)
_PAUSED = Query(lambda: PausedQueue.objects.filter(queue=Queue.ROUNDS).values_list("pk")[:1])
_ALIVE = Query(lambda: alive_workers().order_by("name"))


def status() -> WorkerStatus:
    """Return whether a worker takes rounds now, and the sentence that the page shows about it."""
    if _PAUSED.rows():
        text = "An administrator has paused the rounds. They wait, and go on when the pause ends."
        return WorkerStatus(alive=False, device="", text=text)
    # A worker that was killed on this machine is known to be gone before its heartbeat is stale.
    there = [row for row in _ALIVE.rows() if not is_dead(row.name)]
    devices = [row.device for row in there if not row.draining]
    if devices:
        device = ", ".join(sorted(set(devices)))
        text = f"Computing on {device}." if len(devices) == 1 else f"{len(devices)} workers compute on {device}."
        return WorkerStatus(alive=True, device=device, text=text)
    if there:
        text = "Every worker is being drained. Rounds wait until a worker begins rounds again."
        return WorkerStatus(alive=False, device="", text=text)
    if settings.TEAM_MODE:
        return WorkerStatus(alive=False, device="", text="No worker is running. Rounds wait until one is started.")
    if Worker.objects.exclude(device="").exists():
        return WorkerStatus(
            alive=False, device="", text="The worker stopped. A new one is starting; rounds go on then."
        )
    return WorkerStatus(alive=False, device="", text="The worker is starting.")
