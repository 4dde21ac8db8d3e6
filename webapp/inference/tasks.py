"""Celery tasks of inference. The row is the queue entry: a task that comes twice finds nothing to claim."""

from __future__ import annotations

from celery import shared_task

from webapp.annotation.doorbell import RUN_ROUND, SCORE_ROUND
from webapp.inference import heart  # noqa: F401 (a worker has a heart as soon as it has tasks)


@shared_task(name=RUN_ROUND)
def run_round(round_id: int) -> None:
    from webapp.inference.work import work_on  # engines are of no use to a worker for media

    work_on(round_id)


@shared_task(name=SCORE_ROUND)
def score_round(round_id: int) -> None:
    from webapp.inference.scoring import score

    score(round_id)
