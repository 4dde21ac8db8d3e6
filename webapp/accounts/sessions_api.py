"""REST calls of the browsers in which the caller is signed in. They need a session: a token cannot end one."""

from __future__ import annotations

from datetime import datetime

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema, Status
from ninja.security import django_auth

from webapp.accounts.api import signed_in
from webapp.accounts.sessions import browsers_of, sign_out_browser, sign_out_others
from webapp.paging import Newest
from webapp.rest import ErrorAnswer

router = Router(tags=["accounts"], auth=django_auth)


class SessionInfo(Schema):
    id: int
    signed_in_at: datetime
    address: str  # The network address from which the person signed in.
    agent: str  # What the browser calls itself.
    current: bool  # The one that asks.


@router.get("/me/sessions", response=list[SessionInfo])
def list_sessions(request: HttpRequest, part: Query[Newest], response: HttpResponse) -> list[SessionInfo]:
    """Return the browsers in which you are signed in, newest first."""
    here = request.session.session_key
    return [
        SessionInfo(
            id=row.pk,
            signed_in_at=row.signed_in_at,
            address=row.address,
            agent=row.agent,
            current=row.session_key == here,
        )
        for row in part.page(browsers_of(signed_in(request)), request, response)
    ]


@router.delete("/me/sessions", response={204: None})
def end_other_sessions(request: HttpRequest) -> Status[None]:
    """Sign out in all browsers but the one that asks."""
    sign_out_others(user=signed_in(request), session_key=request.session.session_key)
    return Status(204, None)


@router.delete("/me/sessions/{int:session_id}", response={204: None, 404: ErrorAnswer})
def end_session(request: HttpRequest, session_id: int) -> Status[None]:
    """Sign out in one of your browsers."""
    sign_out_browser(user=signed_in(request), browser_id=session_id)
    return Status(204, None)
