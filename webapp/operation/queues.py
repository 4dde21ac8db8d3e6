"""Counts what waits and runs in the queues of the workers, for the status page and the metrics."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Max, Min
from django.db.models.functions import Now

from webapp.annotation.claims import ROUNDS
from webapp.annotation.export.jobs import EXPORTS
from webapp.annotation.imports.lease import MASK_IMPORTS
from webapp.quality.consensus_lease import CONSENSUS
from webapp.tasks.lease import Lease
from webapp.tasks.models import Queue
from webapp.videos.fetching import FETCHES
from webapp.videos.import_queue import IMPORTS
from webapp.webhooks.deliveries import DELIVERIES

# The leases of the tasks that are listed and can be cancelled, by the names of their kinds.
LEASES: dict[str, Lease[Any]] = {"round": ROUNDS, "import": IMPORTS, "mask_import": MASK_IMPORTS, "export": EXPORTS}
# Every kind of task, with the column that says since when one waits. A delivery that is repeated waits since it is due
# again. When the work on a consensus was asked for is not stored, so it counts from when workers were last told of it.
WAITING_SINCE: dict[Lease[Any], str] = {
    **dict.fromkeys(LEASES.values(), "created_at"),
    FETCHES: "created_at",
    CONSENSUS: "notified_at",
    DELIVERIES: "next_at",
}


def waiting_in(queue: Queue) -> tuple[int, float]:
    """Return how many tasks of a queue wait, and for how many seconds the oldest of them has waited (0: none waits)."""
    rows = [
        lease.waiting().aggregate(number=Count("pk"), oldest=Min(since), now=Max(Now()))
        for lease, since in WAITING_SINCE.items()
        if lease.queue == queue
    ]
    ages = [(row["now"] - row["oldest"]).total_seconds() for row in rows if row["oldest"]]
    return sum(row["number"] for row in rows), max(ages, default=0.0)


def running_in(queue: Queue) -> int:
    """Return how many tasks of a queue workers have claimed."""
    return sum(lease.running().count() for lease in WAITING_SINCE if lease.queue == queue)
