"""Turns the rows of a video into the schemas that its page receives (schemas.py)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from django.db.models import Max, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Now

from webapp.accounts.models import User
from webapp.annotation.line import Versions
from webapp.annotation.masks import ranges_of
from webapp.annotation.models import (
    AcceptedFrame,
    AcceptedObject,
    Change,
    Head,
    HumanTime,
    Mask,
    Object,
    Pin,
    Round,
    Scribble,
)
from webapp.annotation.rounds import ACTIVE
from webapp.annotation.schemas import (
    AcceptedObjectSpan,
    Direction,
    EditInfo,
    ObjectInfo,
    OlderRounds,
    Origin,
    Person,
    PinInfo,
    PinReplyInfo,
    RoundInfo,
    RoundPage,
    RoundScribble,
    RoundStateName,
    ScribbleInfo,
    ScribbleKind,
    State,
    VideoInfo,
)
from webapp.prepared import Query
from webapp.projects.access import allows
from webapp.projects.models import Role
from webapp.videos.models import Video

_NOW = Query(lambda round_id: Round.objects.filter(pk=round_id).values_list(Now(), flat=True), round_id=int)
NEWEST = 30  # How many of the newest versions a state has. A page loads older ones when somebody looks at them.


def person(user: User) -> Person:
    return Person(id=user.pk, name=user.shown_name)


def object_info(instance: Object) -> ObjectInfo:
    return ObjectInfo(
        number=instance.number,
        name=instance.name,
        color=instance.color,
        label=instance.label_id,
        deleted=instance.deleted_at is not None,
        locked=instance.locked,
        position=instance.position,
    )


def scribble_info(scribble: Scribble) -> ScribbleInfo:
    return ScribbleInfo(
        key=str(scribble.key),
        frame=scribble.frame,
        object=scribble.object_id,
        path=scribble.path,
        kind=cast(ScribbleKind, scribble.kind),
        positive=scribble.positive,
        author=person(scribble.author),
    )


def round_info(round_: Round) -> RoundInfo:
    """Describe a round for the page. The author of `round_` must be loaded (select_related).

    Which frames have masks is stored in the row of an ended round. For a round that has not ended, it is found by
    reading the masks.
    """
    return RoundInfo(
        id=round_.pk,
        number=round_.number,
        author=person(round_.author),
        origin=cast(Origin, round_.origin),
        frame=round_.frame,
        drawn=round_.drawn,
        scribbles=[
            RoundScribble(**{name: scribble[name] for name in RoundScribble.model_fields})
            for scribble in round_.scribbles
        ],
        span=round_.span,
        direction=cast(Direction, round_.direction),
        objects=round_.objects_changed,
        edit=None if round_.edit is None else EditInfo(**round_.edit),
        source=round_.source,
        engine=round_.engine,
        weights=round_.weights,
        base=round_.base_id,
        state=cast(RoundStateName, round_.state),
        cancel_requested=round_.cancel_requested or (round_.superseded_by_id is not None and not round_.ended),
        done=round_.progress_done,
        total=round_.progress_total,
        seconds=_seconds(round_),
        error=round_.error,
        created_at=round_.created_at.isoformat(),
        frames=_frames(round_),
    )


def _frames(round_: Round) -> list[tuple[int, int]]:
    if round_.ended:
        return round_.frames
    return ranges_of(round_.pk) if round_.attempts else []  # Before a worker has claimed it, it has no mask.


def pin_info(pin: Pin) -> PinInfo:
    return PinInfo(
        id=pin.pk,
        job=pin.job_id,
        frame=pin.frame,
        last=pin.last,
        object=pin.object_id,
        x=pin.x,
        y=pin.y,
        reason=pin.reason,
        text=pin.text,
        author=person(pin.author),
        created_at=pin.created_at.isoformat(),
        resolved_by=None if pin.resolved_by is None else person(pin.resolved_by),
        resolved_at=None if pin.resolved_at is None else pin.resolved_at.isoformat(),
        replies=[
            PinReplyInfo(
                id=answer.pk, author=person(answer.author), text=answer.text, created_at=answer.created_at.isoformat()
            )
            for answer in pin.replies.all()
        ],
    )


def accepted_spans(frames: Iterable[tuple[int, int]]) -> list[AcceptedObjectSpan]:
    """Group ascending frames of one object, each with the id of the round whose mask was accepted there, into spans."""
    spans: list[AcceptedObjectSpan] = []
    for frame, round_id in frames:
        if spans and spans[-1].last == frame - 1 and spans[-1].round == round_id:
            spans[-1].last = frame
        else:
            spans.append(AcceptedObjectSpan(first=frame, last=frame, round=round_id))
    return spans


def _accepted_objects(video_id: int) -> dict[int, list[AcceptedObjectSpan]]:
    rows = AcceptedObject.objects.filter(instance__video_id=video_id).order_by("frame")
    frames: dict[int, list[tuple[int, int]]] = {}
    for number, frame, round_id in rows.values_list("instance__number", "frame", "mask__round_id"):
        frames.setdefault(number, []).append((frame, round_id))
    return {number: accepted_spans(found) for number, found in sorted(frames.items())}


def pins_of(video_id: int) -> list[PinInfo]:
    """Describe the pins of a video, by frame."""
    rows = Pin.objects.filter(video_id=video_id).select_related("author", "resolved_by")
    return [pin_info(pin) for pin in rows.prefetch_related("replies__author")]


def state_of(video: Video, role: Role) -> State:
    """Return the state of a video without its masks and older versions, as a member with `role` may see it.

    The sequence numbers are read first. What is written while the rest is read is then sent again as a message, and
    that message changes nothing on the page.
    """
    seq, mask_seq = last_change(video.pk), last_mask(video.pk)
    head = Head.objects.filter(video=video).values_list("round_id", flat=True).first()
    waiting = Scribble.objects.filter(video=video, round=None, deleted_at=None)
    accepted = AcceptedFrame.objects.filter(video=video).values_list("frame", "mask__round_id")
    objects = list(Object.objects.filter(video=video))
    rounds, older = _rounds_of(video, head)
    return State(
        video=video_info(video, role),
        objects=[object_info(instance) for instance in objects],
        scribbles=[scribble_info(scribble) for scribble in waiting.select_related("author")],
        rounds=rounds,
        older=older,
        head=head,
        pins=pins_of(video.pk),
        accepted=dict(accepted),
        accepted_objects=_accepted_objects(video.pk),
        absent={instance.number: instance.absent for instance in objects if instance.absent},
        cuts=video.cuts,
        seconds=human_seconds(video.pk),
        seq=seq,
        mask_seq=mask_seq,
    )


def _rounds_of(video: Video, head: int | None) -> tuple[list[RoundInfo], OlderRounds | None]:
    """Describe the newest versions of a video, and with them the head and those that have not ended, oldest first.

    The other versions, if there are any, are described in short.
    """
    rows = Round.objects.filter(video=video).select_related("author").order_by("-pk")
    newest = list(rows[: NEWEST + 1])
    if len(newest) <= NEWEST:
        return [round_info(round_) for round_ in reversed(newest)], None
    before = newest[NEWEST - 1].pk
    wanted = list(rows.filter(Q(pk=head) | Q(state__in=ACTIVE), pk__lt=before))
    versions = Versions(video)
    first_older = next((pk for pk in versions.line(head) if pk < before), None)
    older = OlderRounds(before=before, count=versions.count(before), line=versions.info(first_older))
    return [round_info(round_) for round_ in reversed(newest[:NEWEST] + wanted)], older


def round_page(video_id: int, before: int | None, limit: int) -> RoundPage:
    """Describe rounds of a video with the paths of their scribbles, newest first, whose ids are lower than `before`."""
    rows = Round.objects.filter(video_id=video_id).select_related("author").order_by("-pk")
    if before is not None:
        rows = rows.filter(pk__lt=before)
    found = list(rows[: limit + 1])
    more = found[limit - 1].pk if len(found) > limit else None
    return RoundPage(rounds=[round_info(round_) for round_ in found[:limit]], next=more)


def video_info(video: Video, role: Role) -> VideoInfo:
    return VideoInfo(
        id=video.pk,
        project=video.project_id,
        project_name=video.project.name,
        name=video.name,
        width=video.width,
        height=video.height,
        frame_count=video.frame_count,
        fps=video.fps,
        pixel_aspect=video.pixel_aspect,
        engine=video.project.engine,
        note=video.note,
        truth_frames=video.truth_frames if allows(role, Role.REVIEWER) else [],
    )


def last_change(video_id: int) -> int:
    return Change.objects.filter(video_id=video_id).order_by("-id").values_list("id", flat=True).first() or 0


def last_mask(video_id: int) -> int:
    """Return the highest Mask.id of a video, or 0 if it has no masks."""
    newest = Mask.objects.filter(round=OuterRef("pk")).order_by("-pk").values("pk")[:1]
    rounds = Round.objects.filter(video_id=video_id).annotate(newest=Subquery(newest))
    return int(rounds.aggregate(last=Max("newest"))["last"] or 0)


def human_seconds(video_id: int) -> dict[int, float]:
    """Return how many seconds people worked on each object of a video, by object id."""
    times = HumanTime.objects.filter(video_id=video_id).values("object_id").annotate(total=Sum("seconds"))
    return {
        object_id: round(total, 1) for object_id, total in times.order_by("object_id").values_list("object_id", "total")
    }


def _seconds(round_: Round) -> float | None:
    if round_.started_at is None:
        return None
    until = round_.finished_at
    if until is None:  # The round runs. `started_at` is from the database's clock, so the present time is, too.
        until = _NOW.rows(round_id=round_.pk)[0]
    return round((until - round_.started_at).total_seconds(), 3)
