"""Celery tasks of inference. The row is the queue entry: a task that comes twice finds nothing to claim."""

from __future__ import annotations

from celery import current_app, shared_task

from webapp.annotation.notify import RUN_ROUND, SCORE_ROUND
from webapp.inference import worker_lifecycle  # noqa: F401 (connects the signals of a worker)
from webapp.inference.affinity import better_queue


@shared_task(name=RUN_ROUND)
def run_round(round_id: int, passed_on: bool = False) -> None:
    """Compute a round, or forward it, once, to the worker that has the session of its video."""
    queue = None if passed_on else better_queue(round_id)
    if queue is not None:
        current_app.send_task(RUN_ROUND, args=[round_id, True], queue=queue)
        return
    from webapp.inference.work import work_on  # A worker for media needs no engines.

    work_on(round_id)


@shared_task(name=SCORE_ROUND)
def score_round(round_id: int) -> None:
    from webapp.inference.scoring import score

    score(round_id)
