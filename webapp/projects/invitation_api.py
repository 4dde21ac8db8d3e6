"""REST calls of invitations to a project."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema, Status
from pydantic import Field

from webapp.accounts.api import signed_in
from webapp.paging import Newest
from webapp.projects import invitations
from webapp.projects.access import require
from webapp.projects.invitations import Guest
from webapp.projects.models import Invitation, Role
from webapp.rest import ErrorAnswer, Strict

router = Router(tags=["projects"])

PersonName = Annotated[str, Field(max_length=150)]


class InvitationInfo(Schema):
    """An invitation that can still be used."""

    id: int
    email: str  # Empty if the link is for whoever gets it.
    role: Role
    first_name: str
    last_name: str
    created_by: str
    created_at: datetime
    expires_at: datetime


class NewInvitation(InvitationInfo):
    """An invitation that was just made. `link` is an address on this site, and is shown this once."""

    link: str
    mailed: bool  # Whether a worker sends it to `email`.


class InvitationBody(Strict):
    role: Role
    email: Annotated[str, Field(max_length=254)] = ""
    first_name: PersonName = ""
    last_name: PersonName = ""


class InvitationFile(Strict):
    """A CSV file, whose first line names the columns: email, role, and if wanted first_name and last_name."""

    text: Annotated[str, Field(min_length=1, max_length=1_000_000)]


class InvitationLine(Schema):
    number: int  # The number of the line in the file.
    email: str
    outcome: str  # "invited", or "member" if somebody with this address is one already.
    link: str | None  # For "invited": an address on this site, which is shown this once.
    mailed: bool  # Whether a worker sends it to `email`.


class InvitationFileError(ErrorAnswer):
    lines: list[str] = []  # What is wrong with which line.


def _info(invitation: Invitation) -> dict[str, Any]:
    return {
        "id": invitation.pk,
        "email": invitation.email,
        "role": invitation.role,
        "first_name": invitation.first_name,
        "last_name": invitation.last_name,
        "created_by": invitation.created_by.shown_name,
        "created_at": invitation.created_at,
        "expires_at": invitation.expires_at,
    }


@router.get("/projects/{int:project_id}/invitations", response={200: list[InvitationInfo], (403, 404): ErrorAnswer})
def list_invitations(
    request: HttpRequest, project_id: int, part: Query[Newest], response: HttpResponse
) -> list[InvitationInfo]:
    """Return the invitations that can still be used, newest first."""
    require(signed_in(request), project_id, Role.MANAGER)
    rows = part.page(invitations.open_invitations(project_id), request, response)
    return [InvitationInfo(**_info(row)) for row in rows]


@router.post("/projects/{int:project_id}/invitations", response={201: NewInvitation, (400, 403, 404): ErrorAnswer})
def make_invitation(request: HttpRequest, project_id: int, body: InvitationBody) -> Status[NewInvitation]:
    """Make a link with which one person joins the project. Only this answer has it."""
    guest = Guest(body.role, body.email.strip(), body.first_name.strip(), body.last_name.strip())
    invitation, link = invitations.invite_by_link(by=signed_in(request), project_id=project_id, guest=guest)
    return Status(201, NewInvitation(**_info(invitation), link=link, mailed=invitation.by_mail))


@router.post(
    "/projects/{int:project_id}/invitations/csv",
    response={201: list[InvitationLine], 400: InvitationFileError, (403, 404): ErrorAnswer},
)
def invite_from_csv(request: HttpRequest, project_id: int, body: InvitationFile) -> Status[list[invitations.Line]]:
    """Invite everybody in a CSV file, or nobody if a line of it is wrong."""
    return Status(201, invitations.invite_many(by=signed_in(request), project_id=project_id, text=body.text))


@router.delete("/invitations/{int:invitation_id}", response={204: None, (403, 404): ErrorAnswer})
def withdraw_invitation(request: HttpRequest, invitation_id: int) -> Status[None]:
    invitations.withdraw(by=signed_in(request), invitation_id=invitation_id)
    return Status(204, None)
