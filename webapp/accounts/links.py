"""One-time sign-in links: made by somebody who may run commands here (or by a superuser), good once and for a while."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from webapp.accounts.models import SignInLink, User

LIFETIME = timedelta(days=2)


def _hash(token: str) -> str:
    # The token has 256 random bits: a plain hash cannot be guessed back, a slow one would win nothing.
    return hashlib.sha256(token.encode()).hexdigest()


@transaction.atomic
def make_link(*, user: User) -> str:
    """A new address for `user`, such as /sign-in/link/<token>. Links made earlier and not used stop working."""
    SignInLink.objects.filter(user=user, used_at=None).delete()
    token = secrets.token_urlsafe(32)
    SignInLink.objects.create(user=user, token_hash=_hash(token), expires_at=timezone.now() + LIFETIME)
    return f"/sign-in/link/{token}"


@transaction.atomic
def use_link(*, token: str) -> User | None:
    """The user whom `token` signs in, once: None when it is unknown, used, out of date or its account switched off."""
    now = timezone.now()
    mine = SignInLink.objects.filter(token_hash=_hash(token))
    if not mine.filter(used_at=None, expires_at__gt=now, user__is_active=True).update(used_at=now):
        return None
    return mine.select_related("user").get().user
