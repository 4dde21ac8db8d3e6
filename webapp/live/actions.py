"""Carries out the messages that change something: checks the role of the sender and calls the function that writes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never, cast

from webapp.accounts.models import User
from webapp.annotation.absence import mark_absent
from webapp.annotation.accepted import accept_frames, release_frames
from webapp.annotation.accepted_objects import accept_object, release_object
from webapp.annotation.cuts import set_cuts
from webapp.annotation.edits import Edit, create_edit
from webapp.annotation.human_time import add_seconds
from webapp.annotation.objects import ObjectChanges, add_object, update_object
from webapp.annotation.painting import paint_mask
from webapp.annotation.receipts import once
from webapp.annotation.rounds import Reach, cancel_round, create_round
from webapp.annotation.scribbles import add_scribble, calls_of, remove_scribble
from webapp.annotation.undo import move_head
from webapp.jobs import leases
from webapp.jobs.leases import hold_objects
from webapp.jobs.moves import start_by_work, start_by_work_call
from webapp.live.client_messages import (
    Command,
    CutsSet,
    FramesAccept,
    HeadMove,
    LeaseAsk,
    LeaseRelease,
    LeaseTake,
    MaskEdit,
    MaskPaint,
    ObjectAccept,
    ObjectAdd,
    ObjectUpdate,
    PromptAdd,
    RoundCancel,
    RoundRun,
    ScribbleAdd,
    ScribbleRemove,
    SpanAbsent,
    TimeSpent,
)
from webapp.live.within_jobs import drawn_objects, within_jobs, worked_on
from webapp.prepared import Call
from webapp.projects.access import allows
from webapp.projects.models import Role
from webapp.videos.access import video_and_role
from webapp.videos.models import Video


@dataclass(frozen=True)
class Actor:
    """The sender of a message and their page, the video it is about, and the role that the sender has there."""

    user: User
    video: Video
    role: Role
    connection: str = ""  # Names the page of the sender; empty for a call over REST.

    @property
    def reviews(self) -> bool:
        return allows(self.role, Role.REVIEWER)


def _add_scribble(actor: Actor, message: ScribbleAdd) -> None:
    add_scribble(
        video=actor.video,
        author=actor.user,
        key=message.key,
        frame=message.frame,
        object_id=message.object,
        path=message.path,
    )


def _add_prompt(actor: Actor, message: PromptAdd) -> None:
    add_scribble(
        video=actor.video,
        author=actor.user,
        key=message.key,
        frame=message.frame,
        object_id=message.object,
        path=message.points,
        kind=message.kind,
        positive=message.positive,
    )


def _remove_scribble(actor: Actor, message: ScribbleRemove) -> None:
    remove_scribble(video=actor.video, author=actor.user, key=message.scribble)


def _add_object(actor: Actor, message: ObjectAdd) -> int:
    return add_object(
        video=actor.video, author=actor.user, name=message.name, color=message.color, label_id=message.label
    ).number


def _update_object(actor: Actor, message: ObjectUpdate) -> None:
    given = message.model_dump(include=message.model_fields_set & ObjectChanges.__annotations__.keys())
    # Null means the same as a field that is not given, except for the label, which it takes away.
    changed = {name: value for name, value in given.items() if value is not None or name == "label"}
    update_object(video=actor.video, number=message.number, **cast(ObjectChanges, changed))


def _run_round(actor: Actor, message: RoundRun) -> int:
    return create_round(
        video=actor.video,
        author=actor.user,
        key=message.key,
        frames=message.frames,
        engine=message.engine,
        base=message.base,
        reach=Reach(
            span=message.span,
            direction=message.direction,
            objects=message.objects,
            across_cuts=message.across_cuts,
            from_masks=message.from_masks,
            supersedes=message.supersedes,
        ),
    ).pk


def _cancel_round(actor: Actor, message: RoundCancel) -> None:
    cancel_round(video=actor.video, by=actor.user, round_id=message.round, may_stop_others=actor.reviews)


def _move_head(actor: Actor, message: HeadMove) -> None:
    move_head(video=actor.video, by=actor.user, from_round=message.from_round, to_round=message.to_round)


def _accept_frames(actor: Actor, message: FramesAccept) -> int:
    if not message.accepted:
        return release_frames(
            video=actor.video,
            by=actor.user,
            first=message.first,
            last=message.last,
            seen=message.seen,
            may_accept_others=actor.reviews,
        )
    return accept_frames(
        video=actor.video,
        by=actor.user,
        first=message.first,
        last=message.last,
        head=message.head,
        seen=message.seen,
        may_accept_others=actor.reviews,
    )


def _accept_object(actor: Actor, message: ObjectAccept) -> int:
    if not message.accepted:
        return release_object(
            video=actor.video,
            by=actor.user,
            number=message.object,
            first=message.first,
            last=message.last,
            seen=message.seen,
            may_accept_others=actor.reviews,
        )
    return accept_object(
        video=actor.video,
        by=actor.user,
        number=message.object,
        first=message.first,
        last=message.last,
        head=message.head,
        seen=message.seen,
        may_accept_others=actor.reviews,
    )


def _paint_mask(actor: Actor, message: MaskPaint) -> int:
    return paint_mask(
        video=actor.video,
        author=actor.user,
        key=message.key,
        frame=message.frame,
        object_id=message.object,
        data=message.data,
        over=message.over,
        scribbles=message.scribbles,
    ).pk


def _edit_masks(actor: Actor, message: MaskEdit) -> int:
    edit = Edit(message.op, message.objects, message.first, message.last, message.source, message.into)
    return create_edit(video=actor.video, author=actor.user, key=message.key, edit=edit).pk


def _mark_absent(actor: Actor, message: SpanAbsent) -> None:
    mark_absent(
        video=actor.video,
        object_id=message.object,
        first=message.first,
        last=message.last,
        absent=message.absent,
    )


def _take_lease(actor: Actor, message: LeaseTake) -> None:
    if message.over:
        leases.check_may_take_over(allows(actor.role, Role.MANAGER))
    leases.take(video=actor.video, by=actor.user, connection=actor.connection, number=message.object, over=message.over)


def _add_seconds(actor: Actor, message: TimeSpent) -> None:
    add_seconds(video=actor.video, author=actor.user, object_id=message.object, seconds=message.seconds)


CommandWithoutResult = (
    ScribbleAdd
    | PromptAdd
    | ScribbleRemove
    | ObjectUpdate
    | RoundCancel
    | HeadMove
    | SpanAbsent
    | CutsSet
    | TimeSpent
    | LeaseTake
    | LeaseRelease
    | LeaseAsk
)
REQUIRED = Role.ANNOTATOR  # the lowest role for any message; changing other people's work may need a higher one


def perform(user: User, video_id: int, message: Command, connection: str = "") -> int | None:
    """Carry out a message of a member, and return the `result` of its `Ack`. Raises Problem; then nothing has changed.

    `connection` names the page of the sender, whose leases end when it is closed. The role is read for each message,
    because it may have changed since the socket was opened.
    """
    video, role = video_and_role(user, video_id, REQUIRED)
    actor = Actor(user, video, role, connection)
    ahead = _calls_of(video.pk, message)
    return once(key=message.key, video=video, author=user, act=lambda: _act_within_jobs(actor, message), ahead=ahead)


def _calls_of(video_id: int, message: Command) -> list[Call]:
    """Return the queries that the most frequent messages make, for `once`."""
    if not isinstance(message, ScribbleAdd | PromptAdd):
        return []
    drawn = calls_of(video_id, message.key, message.frame, message.object)
    return [*drawn, start_by_work_call(video_id, (message.frame, message.frame))]


def _act_within_jobs(actor: Actor, message: Command) -> int | None:
    """Carry out a message within the jobs of its sender, and start the jobs on whose frames it works."""
    # The caller holds the head, so no job and no lease changes between the check and the write.
    message = within_jobs(actor.user, actor.role, actor.video, message)
    result = _act(actor, message)
    if objects := drawn_objects(message):
        hold_objects(video=actor.video, by=actor.user, connection=actor.connection, objects=objects)
    if (frames := worked_on(message)) is not None:
        start_by_work(video_id=actor.video.pk, by=actor.user, frames=frames)
    return result


def _act(actor: Actor, message: Command) -> int | None:
    match message:
        case ObjectAdd():
            return _add_object(actor, message)
        case RoundRun():
            return _run_round(actor, message)
        case FramesAccept():
            return _accept_frames(actor, message)
        case ObjectAccept():
            return _accept_object(actor, message)
        case MaskPaint():
            return _paint_mask(actor, message)
        case MaskEdit():
            return _edit_masks(actor, message)
        case _:
            _act_without_result(actor, message)
    return None


def _act_without_result(actor: Actor, message: CommandWithoutResult) -> None:
    match message:
        case ScribbleAdd():
            _add_scribble(actor, message)
        case ScribbleRemove():
            _remove_scribble(actor, message)
        case ObjectUpdate():
            _update_object(actor, message)
        case RoundCancel():
            _cancel_round(actor, message)
        case HeadMove():
            _move_head(actor, message)
        case PromptAdd():
            _add_prompt(actor, message)
        case SpanAbsent():
            _mark_absent(actor, message)
        case CutsSet():
            set_cuts(video=actor.video, cuts=message.cuts)
        case TimeSpent():
            _add_seconds(actor, message)
        case LeaseTake():
            _take_lease(actor, message)
        case LeaseRelease():
            leases.release(video=actor.video, by=actor.user, number=message.object)
        case LeaseAsk():
            leases.ask(video=actor.video, by=actor.user, number=message.object)
        case _:
            assert_never(message)
