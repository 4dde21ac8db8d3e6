"""The browsers in which a person is signed in: kept when they sign in, listed, and signed out from elsewhere.

Django's table of sessions does not say whose a session is, so a row of our own does.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.signals import user_logged_in
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import QuerySet
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

from webapp.accounts.models import SignedInBrowser, User
from webapp.problems import NotFound


@receiver(user_logged_in, dispatch_uid="accounts.browser")
def remember(sender: Any, request: HttpRequest, user: User, **_: Any) -> None:
    """Note where a person has signed in. Rows of sessions that have ended are deleted."""
    if not request.session.session_key:
        request.session.save()
    alive = Session.objects.filter(expire_date__gt=timezone.now()).values("session_key")
    SignedInBrowser.objects.filter(user=user).exclude(session_key__in=alive).delete()
    SignedInBrowser.objects.create(
        user=user,
        session_key=request.session.session_key or "",
        address=str(request.META.get("REMOTE_ADDR", ""))[:45],
        agent=str(request.META.get("HTTP_USER_AGENT", ""))[:200],
    )


def browsers_of(user: User) -> QuerySet[SignedInBrowser]:
    """Return the browsers in which `user` is signed in now, the newest first."""
    alive = Session.objects.filter(expire_date__gt=timezone.now()).values("session_key")
    return SignedInBrowser.objects.filter(user=user, session_key__in=alive).order_by("-pk")


@transaction.atomic
def sign_out_browser(*, user: User, browser_id: int) -> None:
    """End one of the sessions of `user`. Raises NotFound if the session is another person's."""
    browser = SignedInBrowser.objects.filter(user=user, pk=browser_id).first()
    if browser is None:
        raise NotFound("session")
    Session.objects.filter(session_key=browser.session_key).delete()
    browser.delete()


@transaction.atomic
def sign_out_others(*, user: User, session_key: str | None) -> int:
    """End all sessions of `user` but the one with this key, or all with None. Returns how many were ended."""
    others = SignedInBrowser.objects.filter(user=user).exclude(session_key=session_key or "")
    ended, _ = Session.objects.filter(session_key__in=list(others.values_list("session_key", flat=True))).delete()
    others.delete()
    return ended


def key_changed(before: str | None, after: str | None) -> None:
    """Note that Django gave a session another key, as it does when the password changes."""
    if before and after and before != after:
        SignedInBrowser.objects.filter(session_key=before).update(session_key=after)
