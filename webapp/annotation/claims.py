"""What a worker does with a round: it claims it, stores masks and heartbeats, and ends it. Also the lease of rounds.

The claim is a lease (webapp/tasks/lease.py). If the sweep takes a worker for lost and the worker comes back, it can
write nothing, because the fence of the round (a number that each claim raises) has changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Now

from webapp.annotation import changes
from webapp.annotation.codec import LabelMap, encode
from webapp.annotation.head import hold
from webapp.annotation.models import Mask, Round, RoundState
from webapp.annotation.notify import notify_followers, notify_scorer, notify_worker
from webapp.annotation.rounds import end, merge_into_successor, release_round
from webapp.prepared import Query, Update
from webapp.tasks.lease import Lease, Limits
from webapp.tasks.models import Queue
from webapp.tasks.worker_names import is_dead

LOST_TEXT = (
    "The worker stopped {attempts} times before this round was done; its log may say why. "
    "If memory ran out, a smaller MASKWRIGHT_MAX_SIDE or another engine helps. Your scribbles are kept."
)


class Lost(Exception):
    """The worker no longer holds the round: the sweep let it wait again, or ended it.

    A worker that gets this must store nothing more.
    """


@dataclass(frozen=True)
class Claim:
    """A worker's right to write to a round.

    It is void once the sweep has taken the round back or the round has ended. `row` is the round as it was when the
    worker claimed it, with its video and author.
    """

    round_id: int
    video_id: int
    fence: int
    row: Round = field(compare=False, repr=False)


@dataclass(frozen=True)
class NewMask:
    """A mask to store. Build it with `new_mask` before the transaction begins, because encoding takes time."""

    frame: int
    data: bytes
    confidence: tuple[float, ...]
    engine_state: bytes | None


def new_mask(frame: int, labels: LabelMap, confidence: Sequence[float], engine_state: bytes | None) -> NewMask:
    return NewMask(frame, encode(labels), tuple(round(float(value), 4) for value in confidence), engine_state)


@transaction.atomic
def claim(round_id: int, worker: str, **columns: object) -> Claim | None:
    """Claim a queued round for the worker with the name `worker`, and store further `columns`, such as its engine.

    Return None if the round was claimed already or has ended, if the queue of rounds is paused, or if another round of
    its video runs or has waited for longer.
    """
    video_id = _VIDEO.first(round_id=round_id)
    if video_id is None:
        return None
    hold(video_id)
    # A round builds on older ones that wait. The end of each round notifies the workers of those that wait again.
    if _BEFORE.rows(video_id=video_id, round_id=round_id):
        return None
    round_ = ROUNDS.claim(round_id, worker=worker, started_at=Coalesce("started_at", Now()), **columns)
    if round_ is None:
        return None
    changes.round_changed(round_)
    return Claim(round_id, video_id, round_.fence, round_)


def store(claim: Claim, masks: Sequence[NewMask]) -> bool:
    """Store masks of a running round.

    Return False if the round was asked to stop; the masks are stored all the same. Raises Lost, and then stores
    nothing. The head is locked, so that the masks of a video are committed in the order of their ids, although people
    paint masks while a round runs.
    """
    with transaction.atomic():
        hold(claim.video_id)
        if not _PROGRESS.run(round_id=claim.round_id, fence=claim.fence, count=len(masks)):
            raise Lost
        Mask.objects.bulk_create(
            Mask(
                round_id=claim.round_id,
                frame=mask.frame,
                data=mask.data,
                confidence=list(mask.confidence),
                engine_state=mask.engine_state,
            )
            for mask in masks
        )
        notify_followers(claim.video_id)
    return not asked_to_stop(claim)


def beat(claim: Claim) -> None:
    """Store a heartbeat. Does nothing if the worker no longer holds the round."""
    ROUNDS.beat(claim.round_id, claim.fence)


def asked_to_stop(claim: Claim) -> bool:
    """Return whether the round should stop: somebody cancelled it, a newer one waits for it to end, or the claim is
    lost.
    """
    return not _WANTED.rows(round_id=claim.round_id, fence=claim.fence)


def stored_frames(claim: Claim) -> set[int]:
    """Return the frames whose masks an earlier attempt at this round stored."""
    return set(Mask.objects.filter(round_id=claim.round_id).values_list("frame", flat=True))


@transaction.atomic
def finish(claim: Claim, *, complete: bool) -> RoundState:
    """End a round: as done when `complete`, otherwise as superseded or cancelled, whichever was asked for.

    Return the state. Raises Lost if this worker no longer has the lease on the round.
    """
    hold(claim.video_id)
    round_ = Round.objects.select_related("author", "video").get(pk=claim.round_id)
    state = RoundState.DONE if complete else _stopped(round_)
    if round_.video.truth_objects:
        notify_scorer(round_.pk)
    return _end(round_, state, claim.fence)


@transaction.atomic
def fail(claim: Claim, *, code: str, text: str) -> None:
    """End a round as failed, with a sentence for its author, and undo it as `release_round` says. Raises Lost."""
    hold(claim.video_id)
    round_ = Round.objects.select_related("author").get(pk=claim.round_id)
    _end(round_, RoundState.FAILED, claim.fence, error_code=code, error=text)


def _stopped(round_: Round) -> RoundState:
    return RoundState.SUPERSEDED if round_.superseded_by_id else RoundState.CANCELLED


def _end(round_: Round, state: RoundState, fence: int, **fields: object) -> RoundState:
    if not end(round_, RoundState.RUNNING, state, fence=fence, **fields):
        raise Lost
    changes.round_changed(round_)
    for waiting in Round.objects.filter(video_id=round_.video_id, state=RoundState.QUEUED).select_related("author"):
        if waiting.pk == round_.superseded_by_id:
            merge_into_successor(round_, waiting)
            changes.round_changed(waiting)
        notify_worker(waiting.pk)
    release_round(round_)
    return state


class RoundLease(Lease[Round]):
    """The lease of rounds. A worker stores a heartbeat every second.

    Unless its process is known to be gone, a worker counts as lost only after 8 s without a heartbeat, because a
    machine that swaps may delay several.
    """

    queue = Queue.ROUNDS
    related = ("author", "video")

    def notify(self, pk: int) -> None:
        notify_worker(pk)

    def is_wanted(self, task: Round) -> bool:
        return not task.cancel_requested and task.superseded_by_id is None

    def is_dead(self, task: Round) -> bool:
        return is_dead(task.worker)

    def hold(self, task: Round) -> None:
        hold(task.video_id)

    def requeued(self, task: Round) -> None:
        changes.round_changed(task)

    def end_lost(self, task: Round) -> None:
        if not self.is_wanted(task):
            _end(task, _stopped(task), task.fence)
        else:
            text = LOST_TEXT.format(attempts=task.losses)
            _end(task, RoundState.FAILED, task.fence, error_code="worker_lost", error=text)


ROUNDS = RoundLease(
    Round,
    waiting=RoundState.QUEUED,
    running=RoundState.RUNNING,
    limits=Limits(stale_after=timedelta(seconds=8), notify_again_after=timedelta(seconds=15)),
)
_VIDEO = Query(lambda round_id: Round.objects.filter(pk=round_id).values_list("video_id", flat=True)[:1], round_id=int)
_BEFORE = Query(
    lambda video_id, round_id: Round.objects.filter(
        Q(state=RoundState.RUNNING) | Q(state=RoundState.QUEUED, pk__lt=round_id), video_id=video_id
    ).values_list("pk")[:1],
    video_id=int,
    round_id=int,
)
_PROGRESS = Update(
    lambda round_id, fence, count: (
        ROUNDS.held(round_id, fence),
        {"heartbeat": Now(), "progress_done": F("progress_done") + count},
    ),
    round_id=int,
    fence=int,
    count=int,
)
_WANTED = Query(
    lambda round_id, fence: (
        ROUNDS.held(round_id, fence).filter(cancel_requested=False, superseded_by=None).values_list("pk")[:1]
    ),
    round_id=int,
    fence=int,
)
