"""Keeps messages within the jobs of their sender: frames outside are locked for those who see only their jobs.

It also tells on which frames a message works, because the jobs of these frames start with it.
"""

from __future__ import annotations

from webapp.accounts.models import User
from webapp.annotation.masks import line_of
from webapp.annotation.models import Object, Round
from webapp.jobs.ranges import Range, own_ranges, range_around
from webapp.live.client_messages import (
    Command,
    CutsSet,
    FramesAccept,
    HeadMove,
    MaskEdit,
    MaskPaint,
    ObjectAccept,
    ObjectUpdate,
    PromptAdd,
    RoundRun,
    ScribbleAdd,
    SpanAbsent,
)
from webapp.problems import Problem
from webapp.projects.models import Role
from webapp.videos.models import Video

NO_JOB = "You have no open job in this video."


def worked_on(message: Command) -> Range | None:
    """Return the first and the last frame in which a message draws, edits or accepts; None for other messages.

    For a round these are the frames that it starts from, although its masks reach further.
    """
    match message:
        case ScribbleAdd() | PromptAdd() | MaskPaint():
            return message.frame, message.frame
        case MaskEdit() | SpanAbsent() | FramesAccept() | ObjectAccept():
            return message.first, message.last
        case RoundRun():
            return min(message.frames), max(message.frames)
    return None


def drawn_objects(message: Command) -> set[int]:
    """Return the ids of the objects whose masks, scribbles or absent spans a message changes by hand.

    0 stands for scribbles of the background.
    """
    match message:
        case ScribbleAdd() | PromptAdd() | MaskPaint():
            return {message.object}
        case MaskEdit():
            return {*message.objects, *(() if message.into is None else (message.into,))}
        case SpanAbsent() if message.object is not None:
            return {message.object}
    return set()


def within_jobs(user: User, role: Role, video: Video, message: Command) -> Command:
    """Return the message as it may be carried out: a round ends where the job of its sender ends.

    Raises Problem "locked_frame", or "locked_object" and "locked_rounds" for what reaches beyond the sender's frames.
    """
    ranges = own_ranges(user, role, video)
    if ranges is None:
        return message
    if isinstance(message, ObjectUpdate) and message.deleted is not None:
        _check_may_delete(user, video, message.number, ranges)
    if ranges == [(0, video.frame_count - 1)]:
        return message
    frames = worked_on(message)
    if frames is not None:
        around = range_around(user, video, ranges, *frames)
        return _clamped(message, around) if isinstance(message, RoundRun) else message
    match message:
        case CutsSet():
            for frame in sorted(set(message.cuts) ^ set(video.cuts)):
                range_around(user, video, ranges, frame, frame)
        case HeadMove() if not ranges:
            raise Problem("locked_rounds", f"{NO_JOB} A reviewer can go back and forth between its rounds.", 409)
        case HeadMove():
            _check_own_rounds(user, message)
    return message


def _clamped(message: RoundRun, around: Range) -> RoundRun:
    first, last = message.span or around
    return message.model_copy(update={"span": (max(first, around[0]), min(last, around[1]))})


def _check_may_delete(user: User, video: Video, number: int, ranges: list[Range]) -> None:
    """Raise Problem unless `user`, who sees only their jobs, may delete or restore an object: one that they added."""
    if not ranges:
        raise Problem("locked_object", f"{NO_JOB} A reviewer can delete or restore objects.", 409)
    if not Object.objects.filter(video=video, number=number, created_by=user).exists():
        text = "Somebody else added this object. Only its author or a reviewer can delete or restore it."
        raise Problem("locked_object", text, 409)


def _check_own_rounds(user: User, message: HeadMove) -> None:
    """Raise Problem unless `user` made all rounds whose masks disappear or come back when the head moves."""
    touched = set(line_of(message.from_round)) ^ set(line_of(message.to_round))
    theirs = Round.objects.filter(pk__in=touched).exclude(author=user).select_related("author").first()
    if theirs is not None:
        text = f"This would take away round {theirs.number} of {theirs.author.shown_name}. A reviewer can do that."
        raise Problem("locked_rounds", text, 409)
