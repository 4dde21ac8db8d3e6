"""Reads the change log and the masks of a video: what is new since a cursor, and what a page missed
while it was away.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Max, OuterRef, Subquery
from django.db.models.functions import Now

from webapp.annotation.codec import PackedMask
from webapp.annotation.masks import packed
from webapp.annotation.models import Change, Mask, Round
from webapp.annotation.rounds import ACTIVE
from webapp.annotation.schemas import State
from webapp.annotation.state import last_change, last_mask, state_of
from webapp.live.protocol import RoundProgress
from webapp.prepared import Call, Query
from webapp.projects.access import allows
from webapp.projects.models import Role
from webapp.videos.models import Video

MOST_CHANGES = 400  # read by one poll; after a longer gap a page gets the whole state
MOST_MASKS = 400
_CHANGES = Query(
    lambda video_id, seq: Change.objects.filter(video_id=video_id, pk__gt=seq).order_by("pk")[:MOST_CHANGES],
    video_id=int,
    seq=int,
)
_ACTIVE = Query(
    lambda video_id: Round.objects.filter(video_id=video_id, state__in=ACTIVE).annotate(now=Now()), video_id=int
)
_MASKS = Query(
    lambda round_id, seq: (
        Mask.objects.filter(round_id=round_id, pk__gt=seq).order_by("pk").defer("engine_state")[:MOST_MASKS]
    ),
    round_id=int,
    seq=int,
)
ENDED = {"done", "cancelled", "superseded", "failed"}


@dataclass(frozen=True)
class LogEntry:
    """A row of the change log, as the text that the sockets get.

    `ends` is true if the row says that a round ended. `of_truth` is true if the row tells that the video has ground
    truth: only reviewers get it.
    """

    seq: int
    text: str
    ends: bool
    of_truth: bool = False


@dataclass
class Cursor:
    """How far a video has been read: the newest Change.id and Mask.id, and the rounds that may have further masks."""

    seq: int
    mask_seq: int
    coming: set[int] = field(default_factory=set)


@dataclass(frozen=True)
class Delta:
    """The changes, masks and progress of a video since a cursor, as one poll reads them.

    `running` is true while a round waits or runs. `more` is true if there may be more new rows than one poll reads.
    """

    changes: list[LogEntry]
    masks: list[PackedMask]
    progress: list[RoundProgress]
    running: bool
    more: bool = False


@dataclass(frozen=True)
class Catchup:
    """What a page needs after a gap: the rows and masks that it missed, or a whole state that replaces the page's."""

    seq: int
    mask_seq: int
    changes: list[LogEntry]
    masks: list[PackedMask]
    state: State | None


def cursor_at_end(video_id: int) -> Cursor:
    """Return a cursor after the newest row of the change log and the newest mask of a video."""
    active = Round.objects.filter(video_id=video_id, state__in=ACTIVE)
    return Cursor(last_change(video_id), last_mask(video_id), set(active.values_list("pk", flat=True)))


def newest_changes(video_ids: Collection[int]) -> dict[int, int]:
    """Return the newest Change.id of each of these videos, by Video.id. It is 0 for a video without changes."""
    newest = Change.objects.filter(video=OuterRef("pk")).order_by("-pk").values("pk")[:1]
    rows = Video.objects.filter(pk__in=video_ids).order_by().annotate(newest=Subquery(newest))
    return {video_id: found or 0 for video_id, found in rows.values_list("pk", "newest")}


def poll(video_id: int, cursor: Cursor) -> Delta:
    """Return what is new since `cursor`, and move the cursor. Makes two queries and one for each round that may have
    new masks, all with an index; if there are new masks, up to two more.

    The log is read before the masks. If the log says that a round has ended, that round stores no more masks, so none
    of its masks can be missed. A version that a person painted after the log was read is found by reading the log
    again: its mask has a lower id than one that a running round stored after it, which may be among the masks.
    """
    changes = _changes(video_id, cursor.seq)
    active = _ACTIVE.rows(video_id=video_id)
    candidates = cursor.coming | {round_.pk for round_ in active} | {_round_of(change) for change in changes} - {0}
    masks = _masks(candidates, cursor.mask_seq)
    if changes:
        cursor.seq = changes[-1].pk
    if masks:
        masks = _with_painted_meanwhile(video_id, cursor, candidates, masks)
    if masks:
        cursor.mask_seq = masks[-1].seq
    cursor.coming = candidates if len(masks) == MOST_MASKS else {round_.pk for round_ in active}
    more = len(changes) == MOST_CHANGES or len(masks) == MOST_MASKS
    progress = [_progress(round_, round_.started_at, round_.now) for round_ in active if round_.started_at]
    return Delta([_entry(change) for change in changes], masks, progress, bool(active), more)


def poll_calls(video_id: int, cursor: Cursor) -> list[Call]:
    """Return the queries that `poll` makes first."""
    return [_CHANGES.call(video_id=video_id, seq=cursor.seq), _ACTIVE.call(video_id=video_id)]


def _masks(rounds: set[int], seq: int) -> list[PackedMask]:
    # The newest round is read first. The rounds of a video run in the order of their ids, so an older round stores
    # nothing after a mask that was read of a newer one, and the cursor cannot pass a mask that was not read.
    newest_first = sorted(rounds, reverse=True)
    found = [mask for round_id in newest_first for mask in _MASKS.rows(round_id=round_id, seq=seq)]
    return packed(sorted(found, key=lambda mask: mask.pk)[:MOST_MASKS])


def _with_painted_meanwhile(
    video_id: int, cursor: Cursor, candidates: set[int], masks: list[PackedMask]
) -> list[PackedMask]:
    """Add to `masks` the masks of other versions, such as painted masks, that were stored while `masks` were read.

    `candidates` are the ids of the rounds whose masks were read. The change log is read again to find the other
    versions. It names all that are needed: the masks of a video are committed in the order of their ids, and only masks
    with a lower id than the last one in `masks` are added.
    """
    others = {_round_of(change) for change in _changes(video_id, cursor.seq)} - candidates - {0}
    if not others:
        return masks
    between = Mask.objects.filter(round_id__in=others, pk__gt=cursor.mask_seq, pk__lt=masks[-1].seq)
    return sorted([*masks, *packed(between.defer("engine_state"))], key=lambda mask: mask.seq)


def catch_up(video: Video, role: Role, seq: int, mask_seq: int) -> Catchup:
    """Return what came after `seq` and `mask_seq`: of the masks, the newest of each frame.

    If `seq` is 0 or higher than any of the video, or if too much came, return the whole state instead.
    """
    if seq <= 0 or seq > last_change(video.pk) or _is_long(video.pk, seq):
        return _anew(video, role)
    # It is read first: masks that are stored while the rest is read are sent again, and none is passed over.
    newest_mask = last_mask(video.pk)
    changes = _changes(video.pk, seq)
    missed = Mask.objects.filter(round__video=video, pk__gt=mask_seq)
    # The mask of the newest round counts, even if an older round that still runs stored one of the frame later.
    newest = dict(
        missed.values("frame").annotate(newest=Max("round_id")).values_list("frame", "newest")[: MOST_MASKS + 1]
    )
    if len(newest) > MOST_MASKS:
        return _anew(video, role)
    rows = missed.filter(round__in=set(newest.values())).values_list("pk", "frame", "round_id")
    ids = [pk for pk, frame, round_id in rows if newest[frame] == round_id]
    masks = packed(Mask.objects.filter(pk__in=ids).order_by("pk").defer("engine_state"))
    return Catchup(
        changes[-1].pk if changes else seq,
        max(newest_mask, mask_seq),
        for_role(role, [_entry(change) for change in changes]),
        masks,
        None,
    )


def for_role(role: Role, entries: Sequence[LogEntry]) -> list[LogEntry]:
    """Return the rows that a member with this role may read."""
    return [entry for entry in entries if not entry.of_truth or allows(role, Role.REVIEWER)]


def _anew(video: Video, role: Role) -> Catchup:
    state = state_of(video, role)
    return Catchup(state.seq, state.mask_seq, [], [], state)


def _is_long(video_id: int, seq: int) -> bool:
    return Change.objects.filter(video_id=video_id, pk__gt=seq)[MOST_CHANGES:].exists()


def _changes(video_id: int, seq: int) -> list[Change]:
    return _CHANGES.rows(video_id=video_id, seq=seq)


def _entry(change: Change) -> LogEntry:
    text = json.dumps({**change.message, "seq": change.pk}, separators=(",", ":"))
    ends = change.message["type"] == "round.changed" and change.message["round"]["state"] in ENDED
    return LogEntry(change.pk, text, ends, change.message["type"] == "round.scored")


def _round_of(change: Change) -> int:
    return int(change.message["round"]["id"]) if change.message["type"] == "round.changed" else 0


def _progress(round_: Round, started_at: datetime, now: datetime) -> RoundProgress:
    return RoundProgress(
        type="round.progress",
        round=round_.pk,
        done=round_.progress_done,
        total=round_.progress_total,
        seconds=round((now - started_at).total_seconds(), 3),
    )
