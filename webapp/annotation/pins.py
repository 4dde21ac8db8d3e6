"""Pins: comments on frames or on places in them, which people answer, resolve and reopen."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from webapp.accounts.models import User
from webapp.annotation import changes
from webapp.annotation.accepted_objects import take_back
from webapp.annotation.bounds import check_frame, check_span
from webapp.annotation.head import hold
from webapp.annotation.models import Object, Pin, PinReply
from webapp.notifications.kinds import Kind
from webapp.notifications.notify import notify
from webapp.problems import Forbidden, NotFound, Problem
from webapp.projects.access import present_members
from webapp.videos.models import Video

MOST_PINS = 2000  # The most pins of one video.


@dataclass(frozen=True)
class NewPin:
    """A comment on a frame. `x` and `y` are in 0..1; both are None for a comment on the whole frame.

    `reason` is empty or one of the reasons of the project. `object_id` None: the pin is about no object. `last` is the
    last frame that the pin is about; None: it is about `frame` alone.
    """

    frame: int
    text: str = ""
    reason: str = ""
    object_id: int | None = None
    x: float | None = None
    y: float | None = None
    last: int | None = None

    @property
    def span(self) -> tuple[int, int]:
        """The first and the last frame that the pin is about."""
        return self.frame, self.frame if self.last is None else self.last


@transaction.atomic
def add_pin(*, video: Video, author: User, pin: NewPin, job_id: int | None = None, reviews: bool = False) -> Pin:
    """Store a pin. `job_id` is the id of the job that is rejected with it, or None.

    A pin about an object releases the object in its frames if it was accepted there: by `author`, or by anybody if
    `reviews` says that `author` is a reviewer.

    Raises Problem: "bad_frame"; "bad_span"; "not_ready"; "empty_pin" if it has neither a text nor a reason;
    "unknown_reason"; "no_object"; "bad_place" if it has only one coordinate; "too_many_pins".
    """
    hold(video.pk)
    check_frame(video, pin.frame)
    check_span(video, *pin.span)
    _check(video, pin)
    made = Pin.objects.create(
        video=video,
        job_id=job_id,
        frame=pin.frame,
        last=pin.last,
        object_id=pin.object_id,
        x=pin.x,
        y=pin.y,
        reason=pin.reason,
        text=pin.text.strip(),
        author=author,
    )
    if pin.object_id is not None:
        first, last = pin.span
        take_back(video=video, by=author, number=pin.object_id, first=first, last=last, of_others=reviews)
    changes.pin_changed(made)
    return made


def _check(video: Video, pin: NewPin) -> None:
    if not pin.text.strip() and not pin.reason:
        raise Problem("empty_pin", "Say what the pin is about: choose a reason or write a text.")
    _check_reason(video, pin.reason)
    if (pin.x is None) != (pin.y is None):
        raise Problem("bad_place", "A place needs both coordinates, x and y.")
    there = Object.objects.filter(video=video, deleted_at=None, number=pin.object_id or 0)
    if pin.object_id is not None and not there.exists():
        raise Problem("no_object", f"Object {pin.object_id} is not there any more. Choose another one.", 409)
    if Pin.objects.filter(video=video).count() >= MOST_PINS:
        raise Problem("too_many_pins", f"A video has {MOST_PINS} pins at most.", 409)


def _check_reason(video: Video, reason: str) -> None:
    known = video.project.pin_reasons
    if reason and reason not in known:
        raise Problem(
            "unknown_reason", f"This project has no reason called {reason!r}. Choose one of {', '.join(known)}."
        )


@transaction.atomic
def change_pin(
    *, pin: Pin, by: User, resolved: bool | None = None, text: str | None = None, reason: str | None = None
) -> Pin:
    """Resolve or reopen a pin, or change its text or reason, which only its author may. None leaves things as they are.

    If a pin that is resolved already is resolved again, it keeps who resolved it and when.

    Raises Forbidden for words of somebody else's pin, NotFound if the pin is gone, and Problem "unknown_reason", or
    "empty_pin" if neither a text nor a reason would be left.
    """
    pin = _held(pin)
    if (text is not None or reason is not None) and pin.author_id != by.pk:
        raise Forbidden("Only its author may change the words of a pin. Answer it instead.")
    if reason is not None:
        _check_reason(pin.video, reason)
        pin.reason = reason
    if text is not None:
        pin.text = text.strip()
    if not pin.text and not pin.reason:
        raise Problem("empty_pin", "Say what the pin is about: choose a reason or write a text.")
    turned = resolved is not None and resolved != (pin.resolved_at is not None)
    if turned:
        pin.resolved_at, pin.resolved_by = (timezone.now(), by) if resolved else (None, None)
    pin.save()
    changes.pin_changed(pin)
    if turned:
        _notify(pin, by, "resolved" if resolved else "reopened")
    return pin


@transaction.atomic
def reply(*, pin: Pin, author: User, text: str) -> Pin:
    """Answer a pin. Raises Problem "empty_reply", and NotFound if the pin is gone."""
    pin = _held(pin)
    if not text.strip():
        raise Problem("empty_reply", "Write an answer first.")
    PinReply.objects.create(pin=pin, author=author, text=text.strip())
    changes.pin_changed(pin)
    _notify(pin, author, "answered")
    return pin


def _held(pin: Pin) -> Pin:
    """Lock the head of the pin's video and read the pin again. Raises NotFound if it is gone."""
    hold(pin.video_id)
    found = Pin.objects.select_related("video__project", "author", "resolved_by").filter(pk=pin.pk).first()
    if found is None:
        raise NotFound("pin")
    return found


def _notify(pin: Pin, by: User, what: str) -> None:
    """Notify the author of a pin and those who answered it, if they are members. `what` is the verb of the text."""
    project_id = pin.video.project_id
    people = present_members(project_id, [pin.author_id, *pin.replies.values_list("author_id", flat=True)])
    text = f"{by.shown_name} {what} a pin on frame {pin.frame} of {pin.video.name}."
    job = f"?job={pin.job_id}" if pin.job_id else ""
    link = f"/videos/{pin.video_id}{job}#frame={pin.frame}"
    notify(people, Kind.PIN_ANSWERED, text, link=link, project_id=project_id, by=by)
