"""The address of one-time sign-in links. It is a page and not a REST call."""

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
    """Sign in the user of the link and redirect to the start page. A used or old link answers 410 with a page."""
    user = use_link(token=token)
    if user is None:
        return render(request, "link_used.html", status=410)
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    return redirect("/")
