"""Who is an administrator of the site."""

from __future__ import annotations

from django.http import HttpRequest

from webapp.accounts.models import User
from webapp.accounts.second_factor import must_set_up


def is_administrator(request: HttpRequest) -> bool:
    """Return whether a superuser makes the request, with the second factor that the site may demand of them."""
    user = request.user
    return isinstance(user, User) and user.is_active and user.is_superuser and not must_set_up(user)
