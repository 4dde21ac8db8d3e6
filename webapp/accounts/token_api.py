"""REST calls of tokens. They need a session: nobody makes or revokes tokens with a token."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema, Status
from ninja.security import django_auth
from pydantic import Field

from webapp.accounts.api import signed_in
from webapp.accounts.models import Token
from webapp.accounts.tokens import make_token, revoke_token
from webapp.paging import Newest
from webapp.rest import ErrorAnswer, Strict

router = Router(tags=["accounts"], auth=django_auth)


class TokenInfo(Schema):
    id: int
    name: str
    hint: str  # The last letters of the secret.
    projects: list[int] | None  # The ids of the projects that it is limited to; null for all.
    may_write: bool
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


class NewToken(TokenInfo):
    """A token that was just made. `secret` is shown this once."""

    secret: str


class TokenBody(Strict):
    name: Annotated[str, Field(min_length=1, max_length=60)]
    projects: Annotated[list[Annotated[int, Field(ge=1, lt=1 << 63)]], Field(max_length=1000)] | None = None
    may_write: bool = False
    days: Annotated[int, Field(ge=1, le=3650)] | None = None


@router.get("/tokens", response=list[TokenInfo])
def list_tokens(request: HttpRequest, part: Query[Newest], response: HttpResponse) -> list[Token]:
    """Return your tokens, newest first, those that are revoked or expired included."""
    return part.page(Token.objects.filter(user=signed_in(request)), request, response)


@router.post("/tokens", response={201: NewToken, (400, 409): ErrorAnswer})
def create_token(request: HttpRequest, body: TokenBody) -> Status[NewToken]:
    """Make a token. Only this answer has its secret."""
    token, secret = make_token(
        by=signed_in(request), name=body.name, projects=body.projects, may_write=body.may_write, days=body.days
    )
    return Status(201, NewToken(**TokenInfo.from_orm(token).dict(), secret=secret))


@router.delete("/tokens/{int:token_id}", response={204: None, 404: ErrorAnswer})
def delete_token(request: HttpRequest, token_id: int) -> Status[None]:
    """Revoke a token. It stays in the list."""
    revoke_token(by=signed_in(request), token_id=token_id)
    return Status(204, None)
