"""Rounds, as workers take and fill them: claim, store, beat, finish, fail; and requeue, for those whose worker is gone.

A claim raises the round's *fence*. Every later write names it: a worker that was thought dead and comes back writes
nothing, because the round has another fence by then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from webapp.annotation import changes
from webapp.annotation.codec import LabelMap, encode
from webapp.annotation.head import hold
from webapp.annotation.models import Mask, Round, RoundState
from webapp.annotation.notify import notify_followers, notify_scorer, notify_worker
from webapp.annotation.rounds import end, merge_into_successor, release_round

MAX_ATTEMPTS = 3
STALE_AFTER = timedelta(seconds=8)  # eight heartbeats: a machine that swaps may miss a few
LOST_TEXT = (
    "The worker stopped {attempts} times while it computed this round, most likely because memory ran out. "
    "Try a smaller MASKWRIGHT_MAX_SIDE or another engine. Your scribbles are kept."
)


class Lost(Exception):
    """The round is no longer this worker's: it was requeued or ended by others. Stop, store nothing."""


@dataclass(frozen=True)
class Claim:
    """A worker's right to write to a round: void as soon as the round has another fence or state."""

    round_id: int
    video_id: int
    fence: int


@dataclass(frozen=True)
class NewMask:
    """A mask that is to be stored. Build it with `new_mask`, outside the transaction: encoding takes time."""

    frame: int
    data: bytes
    confidence: tuple[float, ...]
    engine_state: bytes | None


def new_mask(frame: int, labels: LabelMap, confidence: Sequence[float], engine_state: bytes | None) -> NewMask:
    return NewMask(frame, encode(labels), tuple(round(float(value), 4) for value in confidence), engine_state)


@transaction.atomic
def claim(round_id: int, worker: str) -> Claim | None:
    """Take a queued round. None when there is nothing to take: taken, ended, or another round of its video runs."""
    video_id = Round.objects.filter(pk=round_id).values_list("video_id", flat=True).first()
    if video_id is None:
        return None
    hold(video_id)
    if Round.objects.filter(video_id=video_id, state=RoundState.RUNNING).exists():
        return None  # when that one ends, this one is rung again
    now = timezone.now()
    taken = Round.objects.filter(pk=round_id, state=RoundState.QUEUED).update(
        state=RoundState.RUNNING,
        fence=F("fence") + 1,
        attempts=F("attempts") + 1,
        worker=worker,
        heartbeat=now,
        started_at=Coalesce("started_at", now),
    )
    if not taken:
        return None
    round_ = Round.objects.select_related("author").get(pk=round_id)
    changes.round_changed(round_)
    return Claim(round_id, video_id, round_.fence)


@transaction.atomic
def begin(claim: Claim, *, engine: str, weights: str, total: int) -> None:
    """Note what computes the round, and how many frames it will have. Raises Lost."""
    hold(claim.video_id)
    if not _mine(claim).update(engine=engine, weights=weights, progress_total=total, heartbeat=timezone.now()):
        raise Lost
    changes.round_changed(Round.objects.select_related("author").get(pk=claim.round_id))


@transaction.atomic
def store(claim: Claim, masks: Sequence[NewMask]) -> bool:
    """Store masks of a running round; False when it was asked to stop. Raises Lost, and then nothing is stored."""
    count = F("progress_done") + len(masks)
    if not _mine(claim).update(progress_done=count, heartbeat=timezone.now()):
        raise Lost
    Mask.objects.bulk_create(
        Mask(
            round_id=claim.round_id,
            frame=one.frame,
            data=one.data,
            confidence=list(one.confidence),
            engine_state=one.engine_state,
        )
        for one in masks
    )
    notify_followers(claim.video_id)
    return not asked_to_stop(claim)


def beat(claim: Claim) -> None:
    """Say that the round is being worked on."""
    _mine(claim).update(heartbeat=timezone.now())


def asked_to_stop(claim: Claim) -> bool:
    """Whether somebody cancelled the round, or a newer one waits for it to end."""
    return not _mine(claim).filter(cancel_requested=False, superseded_by=None).exists()


def stored_frames(claim: Claim) -> set[int]:
    """Frames that an earlier attempt at this round has stored."""
    return set(Mask.objects.filter(round_id=claim.round_id).values_list("frame", flat=True))


@transaction.atomic
def finish(claim: Claim, *, complete: bool) -> RoundState:
    """End a round: done when `complete`, else superseded or cancelled, whichever was asked for. Raises Lost."""
    hold(claim.video_id)
    round_ = Round.objects.select_related("author", "video").get(pk=claim.round_id)
    state = RoundState.DONE if complete else _stopped(round_)
    if round_.video.truth_objects:
        notify_scorer(round_.pk)
    return _end(round_, state, claim.fence)


@transaction.atomic
def fail(claim: Claim, *, code: str, text: str) -> None:
    """End a round with a reason for the person who made it: the scribbles wait again. Raises Lost."""
    hold(claim.video_id)
    round_ = Round.objects.select_related("author").get(pk=claim.round_id)
    _end(round_, RoundState.FAILED, claim.fence, error_code=code, error=text)


@transaction.atomic
def requeue(round_: Round) -> RoundState | None:
    """Put back a running round whose worker is gone: queued again, or ended if that was wanted or it was tried enough.

    Compare-and-set on the fence and the heartbeat that were seen: None when the worker was heard of since.
    """
    hold(round_.video_id)
    seen = Round.objects.filter(
        pk=round_.pk, state=RoundState.RUNNING, fence=round_.fence, heartbeat=round_.heartbeat
    ).select_related("author")
    found = seen.first()
    if found is None:
        return None
    if found.cancel_requested or found.superseded_by_id:
        return _end(found, _stopped(found), found.fence)
    if found.attempts >= MAX_ATTEMPTS:
        text = LOST_TEXT.format(attempts=found.attempts)
        return _end(found, RoundState.FAILED, found.fence, error_code="worker_lost", error=text)
    seen.update(state=RoundState.QUEUED, worker="")
    found.refresh_from_db()
    changes.round_changed(found)
    notify_worker(found.pk)
    return RoundState.QUEUED


def _mine(claim: Claim) -> QuerySet[Round]:
    return Round.objects.filter(pk=claim.round_id, fence=claim.fence, state=RoundState.RUNNING)


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
