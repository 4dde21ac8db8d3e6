"""The lease of the work on a consensus: computing the agreement of its copies, or merging them by a vote.

If a worker is killed, its heartbeat stops, and another worker begins the work again.
"""

from __future__ import annotations

from datetime import timedelta

from webapp.quality.models import Computing, Consensus
from webapp.tasks.lease import Lease, Limits
from webapp.tasks.models import Queue
from webapp.tasks.sending import send_task

AGREE = "inference.agree"
MERGE = "inference.merge"


class Lost(Exception):
    """The worker no longer holds the consensus, so it must store nothing."""


class ConsensusLease(Lease[Consensus]):
    """The lease of a worker on computing a consensus. While an administrator has paused exports, none is computed."""

    queue = Queue.EXPORTS

    def notify(self, pk: int) -> None:
        task = Consensus.objects.values_list("task", flat=True).get(pk=pk)
        send_task(task, pk, queue="media")

    def is_wanted(self, task: Consensus) -> bool:
        return True

    def end_lost(self, task: Consensus) -> None:
        error = f"The worker stopped {task.losses} times before it was done. Its log may say why."
        self.held(task.pk, task.fence).update(state=Computing.NOTHING, error=error)


CONSENSUS = ConsensusLease(
    Consensus,
    waiting=Computing.WAITING,
    running=Computing.RUNNING,
    limits=Limits(stale_after=timedelta(seconds=15), notify_again_after=timedelta(seconds=60)),
)
