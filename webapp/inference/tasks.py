"""Celery tasks of inference.

What counts is the row of a round: a task that is delivered twice cannot claim the round a second time.
"""

from __future__ import annotations

from celery import current_app, shared_task

from webapp.annotation.notify import PREVIEW, RUN_ROUND, SCORE_ROUND
from webapp.inference import worker_lifecycle  # noqa: F401 (the import connects the signals of a worker)
from webapp.inference.affinity import better_preview_queue, better_queue
from webapp.inference.order import next_round
from webapp.quality.consensus_lease import AGREE, MERGE


@shared_task(name=RUN_ROUND)
def run_round(round_id: int, passed_on: bool = False) -> None:
    """Compute the round that is to begin next (order.py), or forward it to the worker that has its session.

    Each round that waits has sent one such task, so a task may begin another round than its own. `passed_on` says that
    the round was forwarded to this worker, which then begins it first. That happens once at most.
    """
    chosen = round_id if passed_on else next_round() or round_id
    queue = None if passed_on else better_queue(chosen)
    if queue is not None:
        current_app.send_task(RUN_ROUND, args=[chosen, True], queue=queue)
        return
    # They are imported here because a worker for media loads no engines.
    from webapp.inference.previews import answer_waiting
    from webapp.inference.turns import work_in_turns

    answer_waiting()
    if not work_in_turns(chosen):  # Another worker was faster.
        other = next_round()
        if other is not None:
            work_in_turns(other)


@shared_task(name=PREVIEW)
def preview(preview_id: int, passed_on: bool = False) -> None:
    """Answer a preview, or forward it to the worker that has the session of its video.

    Other previews that wait are answered, too; one that was answered already is skipped.
    """
    queue = None if passed_on else better_preview_queue(preview_id)
    if queue is not None:
        current_app.send_task(PREVIEW, args=[preview_id, True], queue=queue)
        return
    from webapp.inference.previews import answer_waiting

    answer_waiting()


@shared_task(name=SCORE_ROUND)
def score_round(round_id: int) -> None:
    from webapp.inference.scoring import score

    score(round_id)


@shared_task(name=AGREE)
def agree(consensus_id: int) -> None:
    from webapp.inference import consensus

    consensus.run(consensus_id, consensus.agree)


@shared_task(name=MERGE)
def merge(consensus_id: int) -> None:
    from webapp.inference import consensus

    consensus.run(consensus_id, consensus.merge)
