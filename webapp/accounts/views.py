"""The one address of accounts that is not a call: a one-time sign-in link."""

from __future__ import annotations

from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from webapp.accounts.links import use_link


@never_cache
@require_GET
def open_link(request: HttpRequest, token: str) -> HttpResponse:
    """Sign in whoever holds the link and go to the start page; a used or old link says how to get another."""
    user = use_link(token=token)
    if user is None:
        return render(request, "link_used.html", status=410)
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    return redirect("/")
