"""Carries out the messages that change something: checks the role of the sender and calls the write function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never, cast

from webapp.accounts.models import User
from webapp.annotation.accepted import accept_frames, release_frames
from webapp.annotation.objects import ObjectChanges, add_object, update_object
from webapp.annotation.painting import paint_mask
from webapp.annotation.receipts import once
from webapp.annotation.rounds import cancel_round, create_round
from webapp.annotation.scribbles import add_scribble, remove_scribble
from webapp.annotation.undo import move_head
from webapp.live.protocol import (
    Command,
    FramesAccept,
    HeadMove,
    MaskPaint,
    ObjectAdd,
    ObjectUpdate,
    RoundCancel,
    RoundRun,
    ScribbleAdd,
    ScribbleRemove,
)
from webapp.problems import Problem
from webapp.projects.access import allows, require
from webapp.projects.models import Role
from webapp.videos.access import video_for
from webapp.videos.models import Video


@dataclass(frozen=True)
class Actor:
    """The sender of a message, the video it is about, and the role that the sender has there."""

    user: User
    video: Video
    role: Role

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
    if len(message.frames) > 1 or message.span or message.direction != "both" or message.objects:
        raise Problem("not_yet", "This server runs rounds of one frame through the whole video only.")
    return create_round(
        video=actor.video,
        author=actor.user,
        key=message.key,
        frames=message.frames,
        engine=message.engine,
        base=message.base,
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


def _paint_mask(actor: Actor, message: MaskPaint) -> int:
    return paint_mask(
        video=actor.video,
        author=actor.user,
        key=message.key,
        frame=message.frame,
        object_id=message.object,
        data=message.data,
        over=message.over,
    ).pk


REQUIRED = Role.ANNOTATOR  # for every message; whether more is needed depends on whose work it changes


def perform(user: User, video_id: int, message: Command) -> int | None:
    """Carry out a message of a member, and return the `result` of its `Ack`. Raises Problem; then nothing has changed.

    The role is read for each message, because it may have changed since the socket was opened.
    """
    video = video_for(user, video_id, REQUIRED)
    actor = Actor(user, video, require(user, video.project_id, REQUIRED, what="video"))
    return once(key=message.key, video=video, author=user, act=lambda: _act(actor, message))


def _act(actor: Actor, message: Command) -> int | None:
    match message:
        case ObjectAdd():
            return _add_object(actor, message)
        case RoundRun():
            return _run_round(actor, message)
        case FramesAccept():
            return _accept_frames(actor, message)
        case MaskPaint():
            return _paint_mask(actor, message)
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
        case _:
            assert_never(message)
    return None
