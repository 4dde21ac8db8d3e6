"""One-time sign-in links. A superuser, or somebody who may run commands on the server, makes them."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from webapp.accounts.models import SignInLink, User

LIFETIME = timedelta(days=2)


def _hash(token: str) -> str:
    # A plain hash is enough, because the token has 256 random bits and cannot be guessed.
    return hashlib.sha256(token.encode()).hexdigest()


@transaction.atomic
def make_link(*, user: User) -> str:
    """Return the address of a new sign-in link for `user`, such as /sign-in/link/<token>.

    Earlier links of the user that were not used stop working.
    """
    SignInLink.objects.filter(user=user, used_at=None).delete()
    token = secrets.token_urlsafe(32)
    SignInLink.objects.create(user=user, token_hash=_hash(token), expires_at=timezone.now() + LIFETIME)
    return f"/sign-in/link/{token}"


def owner_of_link(*, token: str) -> User | None:
    """Return the user of the link with this token, or None if it does not work. The link can still be used."""
    link = _working(token).select_related("user").first()
    return None if link is None else link.user


@transaction.atomic
def use_link(*, token: str) -> User | None:
    """Mark the link with this token as used, and return its user.

    Returns None if the token is unknown, was used before or is too old, or if the account is inactive.
    """
    if not _working(token).update(used_at=timezone.now()):
        return None
    return SignInLink.objects.select_related("user").get(token_hash=_hash(token)).user


def _working(token: str) -> QuerySet[SignInLink]:
    now = timezone.now()
    return SignInLink.objects.filter(token_hash=_hash(token), used_at=None, expires_at__gt=now, user__is_active=True)
