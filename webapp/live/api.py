"""The REST call that takes the messages by which the page changes a video over its socket, with the same checks."""

from __future__ import annotations

from typing import Annotated

from django.http import HttpRequest
from ninja import Body, Router, Schema
from pydantic import Field

from webapp.accounts.api import signed_in
from webapp.live.actions import perform
from webapp.live.client_messages import Command
from webapp.rest import ErrorAnswer

router = Router(tags=["annotation"])


class CommandResult(Schema):
    """What the `ack` of the socket carries: the id of the object or round that the message created, or the number of
    frames that were accepted or released; null for other messages.
    """

    result: int | None


class CommandConflict(ErrorAnswer):
    """A refusal because of the present state. With the code "conflict", `head` is the id of the round at the head."""

    head: int | None = None


@router.post(
    "/videos/{int:video_id}/commands",
    response={200: CommandResult, 409: CommandConflict, (400, 403, 404, 422, 429): ErrorAnswer},
)
def send_command(
    request: HttpRequest, video_id: int, body: Annotated[Command, Field(discriminator="type"), Body()]
) -> CommandResult:
    """Change a video, for example its objects, scribbles, rounds or accepted frames.

    The body is one of the messages by which a page changes a video over its socket. A message takes effect once, even
    if it is sent again with the same `key`.
    """
    return CommandResult(result=perform(signed_in(request), video_id, body))
