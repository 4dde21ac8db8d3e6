"""REST calls of pins, the comments on frames."""

from __future__ import annotations

from typing import Annotated

from django.db import transaction
from django.http import HttpRequest
from ninja import Router, Status
from pydantic import Field

from webapp.accounts.api import signed_in
from webapp.accounts.models import User
from webapp.annotation import pins
from webapp.annotation.models import Pin
from webapp.annotation.receipts import once
from webapp.annotation.schemas import FrameIndex, Key, ObjectNumber, PinInfo, PinText, Reason, Unit
from webapp.annotation.state import pin_info, pins_of
from webapp.problems import NotFound
from webapp.projects.access import allows
from webapp.projects.models import Role
from webapp.rest import ErrorAnswer, Strict
from webapp.videos.access import role_for, video_and_role

router = Router(tags=["annotation"])


class PinBody(Strict):
    """A comment on a frame, or on the frames from `frame` to `last`. Without `x` and `y` (in 0..1) it is about whole
    frames.

    With a `key`, a UUID that the page makes, the call takes effect once, however often it is sent.
    """

    frame: FrameIndex
    last: FrameIndex | None = None
    text: PinText = ""
    reason: Reason = ""
    object: ObjectNumber | None = None
    x: Unit | None = None
    y: Unit | None = None
    key: Key | None = None

    def pin(self) -> pins.NewPin:
        return pins.NewPin(self.frame, self.text, self.reason, self.object, self.x, self.y, self.last)


class PinPatch(Strict):
    """What to change. Only the pin's author may change `text` and `reason`."""

    resolved: bool | None = None
    text: PinText | None = None
    reason: Reason | None = None


class ReplyBody(Strict):
    text: Annotated[PinText, Field(min_length=1)]
    key: Key | None = None


@router.get("/videos/{int:video_id}/pins", response={200: list[PinInfo], 404: ErrorAnswer})
def list_pins(request: HttpRequest, video_id: int) -> list[PinInfo]:
    """Return the pins of a video, by frame."""
    role_for(signed_in(request), video_id)
    return pins_of(video_id)


@router.post("/videos/{int:video_id}/pins", response={201: PinInfo, (400, 404, 409, 422): ErrorAnswer})
def add_pin(request: HttpRequest, video_id: int, body: PinBody) -> Status[PinInfo]:
    """Set a pin. One about an object also releases the object in its frames, where the user or, for a reviewer, anybody
    accepted it singly.
    """
    user = signed_in(request)
    video, role = video_and_role(user, video_id, Role.ANNOTATOR)

    def act() -> int:
        return pins.add_pin(video=video, author=user, pin=body.pin(), reviews=allows(role, Role.REVIEWER)).pk

    made = act() if body.key is None else once(key=body.key, video=video, author=user, act=act)
    return Status(201, pin_info(Pin.objects.get(pk=made or 0)))


@router.patch("/pins/{int:pin_id}", response={200: PinInfo, (400, 403, 404): ErrorAnswer})
def change_pin(request: HttpRequest, pin_id: int, body: PinPatch) -> PinInfo:
    """Resolve or reopen a pin, or change what it says."""
    user = signed_in(request)
    pin = _pin_for(user, pin_id)
    return pin_info(pins.change_pin(pin=pin, by=user, resolved=body.resolved, text=body.text, reason=body.reason))


@router.post("/pins/{int:pin_id}/replies", response={201: PinInfo, (400, 404): ErrorAnswer})
def reply_to_pin(request: HttpRequest, pin_id: int, body: ReplyBody) -> Status[PinInfo]:
    user = signed_in(request)
    pin = _pin_for(user, pin_id)

    def act() -> int:
        return pins.reply(pin=pin, author=user, text=body.text).pk

    with transaction.atomic():
        answered = act() if body.key is None else once(key=body.key, video=pin.video, author=user, act=act)
    return Status(201, pin_info(Pin.objects.get(pk=answered or 0)))


def _pin_for(user: User, pin_id: int) -> Pin:
    """Return a pin of a video that `user` may annotate. A stranger does not learn that the pin exists."""
    pin = Pin.objects.select_related("video").filter(pk=pin_id).first()
    if pin is None:
        raise NotFound("pin")
    try:
        role_for(user, pin.video_id, Role.ANNOTATOR)
    except NotFound:
        raise NotFound("pin") from None
    return pin
