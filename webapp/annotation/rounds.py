"""Rounds, as people create and stop them. What workers do with them is in claims.py.

The states of a round:

    queued -> running -> done | cancelled | superseded | failed          queued -> cancelled | superseded
    running -> queued    when the worker is lost or postpones the round (claims.py: ROUNDS)

Each transition is a compare-and-set on `state`. Only one round of a video runs at a time. A new round waits for the
rounds of other people and for edits of spans. It supersedes other rounds of the same person, unless it was asked not
to: it ends one that waits, asks a running one to stop (`superseded_by`), and is claimed after that one has stopped. So
a round begins only when the rounds that it builds on have ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now

from webapp.accounts.models import User
from webapp.annotation import changes, counters, scribbles
from webapp.annotation.bounds import check_frame, check_span
from webapp.annotation.cuts import span_of_scenes
from webapp.annotation.engine_time import check_engine_time
from webapp.annotation.head import conflict, hold, set_head
from webapp.annotation.masks import mask_at, ranges_of
from webapp.annotation.models import Direction, Head, HumanTime, Object, Origin, Round, RoundState, Scribble
from webapp.annotation.notify import notify_worker
from webapp.annotation.painted_later import painted_later
from webapp.prepared import Query, Update
from webapp.problems import Forbidden, NotFound, Problem
from webapp.videos.models import Video
from webapp.webhooks.events import Event, tell

ACTIVE = (RoundState.QUEUED, RoundState.RUNNING)
_MADE = Query(lambda key: Round.objects.filter(key=key)[:1], key=UUID)
# Edits of a span and rounds of other people are not superseded: the new round runs after them.
_OWN_ACTIVE = Query(
    lambda video_id, author_id: Round.objects.filter(
        video_id=video_id, author_id=author_id, state__in=ACTIVE, origin=Origin.ROUND
    ).order_by("id"),
    video_id=int,
    author_id=int,
)
_SECONDS = Query(
    lambda video_id: HumanTime.objects.filter(video_id=video_id).values_list("seconds", flat=True), video_id=int
)

_USE = Update(lambda pk, round_id: (Scribble.objects.filter(pk=pk), {"round": round_id}), pk=int, round_id=int)


@dataclass(frozen=True)
class Reach:
    """Which masks a round may change, and which rounds it supersedes.

    Args:
        span: the first and the last frame (inclusive); None: the whole video.
        direction: from the drawn frames to both sides, or only "forward" or "backward".
        objects: the ids of the objects that may change; None: all.
        across_cuts: whether the round may go past scene cuts.
        from_masks: whether a frame without waiting scribbles counts as drawn, too: the round starts from its mask. This
            propagates a painted mask through the video, and continues a round that was stopped.
        supersedes: whether the round takes the place of the same person's rounds that wait or run. Otherwise it waits
            for them, as it always waits for the rounds of other people.
    """

    span: tuple[int, int] | None = None
    direction: str = Direction.BOTH
    objects: Sequence[int] | None = None
    across_cuts: bool = False
    from_masks: bool = False
    supersedes: bool = True


@transaction.atomic
def create_round(
    *,
    video: Video,
    author: User,
    key: UUID | str,
    frames: Sequence[int],
    engine: str,
    base: int | None,
    reach: Reach | None = None,
) -> Round:
    """Create one round from the scribbles that `author` drew on `frames` and that no round has used.

    It becomes the head and waits for a worker. `base` is the id of the head (the round that the video stands at) that
    the author sees. `reach` says which masks the round may change; None: all up to the nearest scene cuts.

    Raises Problem: "conflict" (with the id of the actual head) when the video does not stand at `base`; "no_scribbles";
    "no_objects"; "no_mask" for a frame to start from that shows no object; "bad_frame"; "not_ready"; "bad_span" when
    the span has no frames or a drawn frame lies outside of it; "no_object" when an object of `reach` is not there;
    "quota" when the time of workers is used up; "key_taken" when the key is of another request. A second call with the
    same `key` returns the same round.
    """
    reach = reach or Reach()
    head = hold(video.pk)
    made = _MADE.first(key=UUID(str(key)))
    if made is not None:
        if (made.video_id, made.author_id) != (video.pk, author.pk):
            raise Problem("key_taken", "This message has the key of another one. Reload the page.", 409)
        return made
    for frame in frames:
        check_frame(video, frame)
    _check_reach(video, frames, reach)
    if head.round_id != base:
        raise conflict(head)
    drawn = scribbles.waiting(video, author, frames)
    starts = sorted(set(frames) - {scribble.frame for scribble in drawn}) if reach.from_masks else []
    _check_starts(video, head, starts)
    if not drawn and not starts:
        which = "this frame" if len(set(frames)) == 1 else "these frames"
        raise Problem("no_scribbles", f"There is no scribble on {which} yet. Draw one, then run.", 409)
    if head.next_object_number == 1:
        raise Problem("no_objects", "This video has no object yet. Add one and scribble on it, then run.", 409)
    check_engine_time(video.project, author)
    return _insert(head, video, author, key, engine, drawn, starts, reach)


def _check_starts(video: Video, head: Head, starts: Sequence[int]) -> None:
    for frame in starts:
        mask = mask_at(video.pk, head.round_id, frame)
        if mask is None or not mask.labels.any():
            raise Problem("no_mask", f"Frame {frame} shows no object yet. Draw or paint one, then run.", 409)


def _check_reach(video: Video, frames: Sequence[int], reach: Reach) -> None:
    if reach.span is not None:
        first, last = reach.span
        check_span(video, first, last)
        outside = next((frame for frame in frames if not first <= frame <= last), None)
        if outside is not None:
            text = f"Frame {outside}, which was drawn on, is outside of the range from {first} to {last}."
            raise Problem("bad_span", f"{text} Widen the range, then run.")
    if reach.objects is not None:
        there = set(Object.objects.filter(video=video, deleted_at=None).values_list("number", flat=True))
        gone = next((number for number in reach.objects if number not in there), None)
        if gone is not None:
            raise Problem("no_object", f"Object {gone} is not there any more. Choose another one.", 409)


def _insert(
    head: Head,
    video: Video,
    author: User,
    key: UUID | str,
    engine: str,
    drawn: list[Scribble],
    starts: list[int],
    reach: Reach,
) -> Round:
    active = _OWN_ACTIVE.rows(video_id=video.pk, author_id=author.pk) if reach.supersedes else []
    ended = [round_ for round_ in active if end(round_, RoundState.QUEUED, RoundState.SUPERSEDED)]
    frames = sorted({scribble.frame for scribble in drawn} | set(starts))
    made = add_version(
        head,
        video,
        author,
        key,
        origin=Origin.ROUND,
        frame=frames[0],
        scribbles=scribbles.for_round(drawn, painted_later(head, drawn)),
        started_from=starts,
        span=span_of_scenes(video, frames, reach.span, reach.across_cuts),
        direction=reach.direction,
        objects_changed=None if reach.objects is None else sorted(set(reach.objects)),
        across_cuts=reach.across_cuts,
        engine=engine,
        progress_total=video.frame_count,
    )
    if len(drawn) == 1:  # The usual case has a prepared statement.
        _USE.run(pk=drawn[0].pk, round_id=made.pk)
    else:
        Scribble.objects.filter(pk__in=[scribble.pk for scribble in drawn]).update(round=made)
    if active:
        Round.objects.filter(pk__in=[round_.pk for round_ in active]).update(superseded_by=made)
    for round_ in active:
        round_.refresh_from_db()
        changes.round_changed(round_)
    for round_ in ended:
        if made.base_id == round_.pk:
            merge_into_successor(round_, made)
        else:
            release_round(round_)
    changes.scribbles_removed(video.pk, [str(scribble.key) for scribble in drawn])
    changes.round_changed(made)
    set_head(head, made.pk, author)
    notify_worker(made.pk)
    return made


def add_version(head: Head, video: Video, author: User, key: UUID | str, **columns: Any) -> Round:
    """Insert a version with the next number, whose base is the head, and with the given columns of Round.

    The caller has locked the row of the head, and then moves the head to the version by `set_head`, which also stores
    the next number.
    """
    made = Round.objects.create(
        video=video,
        number=head.next_round_number,
        key=key,
        author=author,
        num_objects=head.next_object_number - 1,
        base_id=head.round_id,
        human_seconds=sum(_SECONDS.rows(video_id=video.pk)),
        **columns,
    )
    counters.round_made(video.pk, author, waits=made.state in ACTIVE)
    head.next_round_number += 1
    return made


def merge_into_successor(ended: Round, following: Round) -> None:
    """Give the queued round `following`, which builds on `ended`, the base of `ended` as its base.

    `ended` is a round that ended without a mask. If both rounds were drawn on the same frames, `following` also gets
    the scribbles of `ended`, so that two quick runs become one interaction. Otherwise those scribbles wait for a round
    again. Nothing happens if `ended` has masks, or if `following` does not wait or does not build on `ended`. The
    caller has locked the video's head and logs the change of `following`.
    """
    if ended.frames or following.base_id != ended.pk or following.state != RoundState.QUEUED:
        return
    following.base_id = ended.base_id
    if following.drawn == ended.drawn:
        following.scribbles = [*ended.scribbles, *following.scribbles]
        ended.drawn_scribbles.update(round=following)
    else:
        scribbles.release_scribbles(ended)
    following.save(update_fields=["scribbles", "base"])


@transaction.atomic
def cancel_round(*, video: Video, by: User, round_id: int, may_stop_others: bool) -> None:
    """Cancel a round of `by`, or with `may_stop_others` anybody's round. A round that has ended stays as it is."""
    hold(video.pk)
    round_ = Round.objects.filter(video=video, pk=round_id).select_related("author").first()
    if round_ is None:
        raise NotFound("round")
    if round_.author_id != by.pk and not may_stop_others:
        raise Forbidden("This round is somebody else's. A reviewer can cancel it.")
    stop(round_, by)


def stop(round_: Round, by: User) -> None:
    """End a round that waits, or ask a round that runs to stop at the next frame.

    The caller has locked the row of the video's head.
    """
    if end(round_, RoundState.QUEUED, RoundState.CANCELLED):
        changes.round_changed(round_)
        release_round(round_)
    elif Round.objects.filter(pk=round_.pk, state=RoundState.RUNNING, cancel_requested=False).update(
        cancel_requested=True
    ):
        round_.refresh_from_db()
        changes.round_changed(round_)


def end(round_: Round, before: RoundState, after: RoundState, **fields: object) -> bool:
    """Move a round from the state `before` to the final state `after`. Return False if it was in another state.

    `fields` are further columns to set. If `fence` is among them, the round must have that fence. `round_` is reloaded
    from the database after the state was set.
    """
    conditions = {"fence": fields.pop("fence")} if "fence" in fields else {}
    count = Round.objects.filter(pk=round_.pk, state=before, **conditions).update(
        state=after, finished_at=Now(), **fields
    )
    if count:
        # The ranges are read after the state was set, because from then on no worker can store a mask.
        Round.objects.filter(pk=round_.pk).update(frames=ranges_of(round_.pk))
        round_.refresh_from_db()
        _tell_of_end(round_)
    return bool(count)


def _tell_of_end(round_: Round) -> None:
    events = {RoundState.DONE: Event.ROUND_DONE, RoundState.FAILED: Event.ROUND_FAILED}
    event = events.get(RoundState(round_.state), Event.ROUND_CANCELLED)
    data = {"round": round_.pk, "video": round_.video_id, "state": round_.state, "error": round_.error}
    tell(round_.video.project_id, event, **data)


def release_round(round_: Round) -> None:
    """Undo an ended round if it failed, or if it ended early without a mask; otherwise do nothing.

    Its scribbles wait for a round again. If it is the head (the round that the video stands at), the head moves back to
    its base. If it has no mask, the versions that build on it get its base. Nothing is undone when a failed round
    stored masks and a queued round already builds on it. The caller has locked the row of the video's head.
    """
    if round_.frames:
        if round_.state != RoundState.FAILED or round_.branches.filter(state=RoundState.QUEUED).exists():
            return
    elif round_.state == RoundState.DONE:
        return  # It changed no frame, for example because all are accepted.
    scribbles.release_scribbles(round_)
    if not round_.frames:
        _take_from_line(round_)
    head = hold(round_.video_id)
    if head.round_id == round_.pk:
        set_head(head, round_.base_id, round_.author)


def _take_from_line(round_: Round) -> None:
    """Take a round without masks out of the line of versions: versions that build on it get its base as their base."""
    for following in round_.branches.select_related("author"):
        following.base_id = round_.base_id
        following.save(update_fields=["base"])
        changes.round_changed(following)
