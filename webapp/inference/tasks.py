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

    Each round that waits has sent such a task, so a task may begin another round than its own. `passed_on` says that
    the round was forwarded to this worker, which then begins it first. That happens once at most. A task that forwards
    another round than its own still begins its own, because no other task may be left for it.
    """
    chosen = round_id if passed_on else next_round() or round_id
    forwarded = not passed_on and _forward(chosen)
    if forwarded and (chosen == round_id or _forward(round_id)):
        return
    # They are imported here because a worker for media loads no engines.
    from webapp.inference.previews import answer_waiting
    from webapp.inference.turns import work_in_turns

    answer_waiting()
    if work_in_turns(round_id if forwarded else chosen) or forwarded:
        return
    other = next_round()  # Another worker was faster.
    if other is not None:
        work_in_turns(other)


def _forward(round_id: int) -> bool:
    """Send a round to the worker that has its session. Return False if this worker should compute the round itself."""
    queue = better_queue(round_id)
    if queue is None:
        return False
    current_app.send_task(RUN_ROUND, args=[round_id, True], queue=queue)
    return True


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
    from webapp.inference.scoring import score_head_first

    score_head_first(round_id)


@shared_task(name=AGREE)
def agree(consensus_id: int) -> None:
    from webapp.inference import consensus

    consensus.run(consensus_id, consensus.agree)


@shared_task(name=MERGE)
def merge(consensus_id: int) -> None:
    from webapp.inference import consensus

    consensus.run(consensus_id, consensus.merge)
