"""Tokens, with which scripts call the REST API as the person who made them."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from datetime import timedelta

from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest
from django.utils import timezone
from ninja.security import HttpBearer

from webapp.accounts.models import Token, User
from webapp.problems import SIGNED_OUT, TOKEN_NOT_TAKEN, TOKEN_NOT_VALID, Forbidden, NotFound, Problem

PREFIX = "mwt_"  # Programs that look for secrets in published code recognise a token by this prefix.
BYTES = 32
MOST_TOKENS = 100  # The most valid tokens of one person.
USE_STORED_EVERY = timedelta(minutes=1)
READING = ("GET", "HEAD", "OPTIONS")


def make_token(
    *, by: User, name: str, projects: Collection[int] | None, may_write: bool, days: int | None
) -> tuple[Token, str]:
    """Create a token of `by`, and return its row and the secret, which is not stored and cannot be shown again.

    `projects` are the ids of the projects that it may be used for, None for all of its owner's; after `days` it is not
    valid any more, None for never.
    """
    if not name.strip():
        raise Problem("empty_name", "A token needs a name, so that you know later what it is for.")
    if valid_tokens().filter(user=by).count() >= MOST_TOKENS:
        raise Problem("too_many_tokens", f"You have {MOST_TOKENS} tokens. Revoke some that are not used.", 409)
    secret = PREFIX + secrets.token_urlsafe(BYTES)
    token = Token.objects.create(
        user=by,
        name=name.strip(),
        token_hash=_hash(secret),
        hint=secret[-4:],
        projects=None if projects is None else sorted(set(projects)),
        may_write=may_write,
        expires_at=None if days is None else timezone.now() + timedelta(days=days),
    )
    return token, secret


def revoke_token(*, by: User, token_id: int) -> None:
    """End a token of `by`. Revoking it again changes nothing."""
    if not Token.objects.filter(user=by, pk=token_id).exists():
        raise NotFound("token")
    Token.objects.filter(user=by, pk=token_id, revoked_at=None).update(revoked_at=timezone.now())


def valid_tokens() -> QuerySet[Token]:
    """Return the tokens that are neither revoked nor expired and whose owners are active."""
    alive = Q(expires_at=None) | Q(expires_at__gt=Now())
    return Token.objects.filter(alive, revoked_at=None, user__is_active=True)


def find_token(secret: str) -> Token | None:
    """Return the valid token with this secret. None if there is none."""
    return valid_tokens().select_related("user").filter(token_hash=_hash(secret)).first()


class BearerToken(HttpBearer):
    """Authenticates a request by a valid token in the header `Authorization: Bearer`. It then needs no CSRF token.

    The user of the request can see only the projects of the token (User.token_projects), and cannot change anything
    unless the token may write.
    """

    def authenticate(self, request: HttpRequest, token: str) -> User | None:
        found = find_token(token)
        if found is None:
            request.refused_token = True  # type: ignore[attr-defined]
            return None
        if not found.may_write and request.method not in READING:
            raise Forbidden("This token is for reading only. Make one that may write.")
        _note_use(found)
        user = found.user
        user.token_projects = None if found.projects is None else frozenset(found.projects)
        request.user = user
        return user


def why_signed_out(request: HttpRequest) -> str:
    """Return the sentence for a request that was refused because it has neither a session nor a token that counts."""
    if getattr(request, "refused_token", False):
        return TOKEN_NOT_VALID
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return TOKEN_NOT_TAKEN if scheme.lower() == "bearer" and token else SIGNED_OUT


def _note_use(token: Token) -> None:
    """Store when a token was used last, but not for each of many requests in a short time."""
    now = timezone.now()
    if token.last_used_at is None or now - token.last_used_at > USE_STORED_EVERY:
        Token.objects.filter(pk=token.pk).update(last_used_at=now)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
