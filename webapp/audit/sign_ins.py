"""Writes an entry for each sign-in, each wrong password of an account that exists, each sign-out, and each change of an
account that `account_changed` reports.

Django sends the signals of sign-in for passwords, one-time links, invitations and providers alike.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest

from webapp.accounts.models import User
from webapp.accounts.signals import account_changed
from webapp.audit.entries import Thing, record


@receiver(user_logged_in, dispatch_uid="audit.sign_in")
def signed_in(sender: Any, request: HttpRequest, user: User, **_: Any) -> None:
    record(user, "sign_in", _account(user), address=_address(request))


@receiver(user_logged_out, dispatch_uid="audit.sign_out")
def signed_out(sender: Any, request: HttpRequest, user: User | None, **_: Any) -> None:
    if user is not None:
        record(user, "sign_out", _account(user), address=_address(request))


@receiver(user_login_failed, dispatch_uid="audit.sign_in_failed")
def failed(sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any) -> None:
    """Record a wrong password. What was typed is not stored, because people type passwords into the wrong field."""
    user = User.objects.filter(username=credentials.get("username") or "").first()
    if user is not None:
        record(None, "sign_in_failed", _account(user), address=_address(request))


@receiver(account_changed, dispatch_uid="audit.account_changed")
def changed(sender: Any, user: User, by: User | None, action: str, details: dict[str, Any], **_: Any) -> None:
    record(by, action, _account(user), **details)


def _account(user: User) -> Thing:
    return Thing("user", user.pk, user.username)


def _address(request: HttpRequest | None) -> str:
    return "" if request is None else str(request.META.get("REMOTE_ADDR", ""))
