"""The view that signs people in by one-time links. It answers with a page, as it is not a REST call."""

from __future__ import annotations

from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from webapp.accounts.links import owner_of_link, use_link
from webapp.accounts.second_factor import has_second_factor, require_code
from webapp.installation import TYPED_COMMAND
from webapp.problems import Problem


@never_cache
@require_http_methods(["GET", "POST"])
def open_link(request: HttpRequest, token: str) -> HttpResponse:
    """Sign in the user of the link and redirect to the start page. A used or old link answers 410 with a page.

    A person with a second factor is first asked for a code. The link keeps working until a right code was entered.
    """
    owner = owner_of_link(token=token)
    if owner is not None and has_second_factor(owner):
        if request.method == "GET":
            return render(request, "link_code.html")
        try:
            require_code(owner, request.POST.get("code", "")[:60])
        except Problem as problem:
            return render(request, "link_code.html", {"problem": problem}, status=problem.status)
    user = use_link(token=token)
    if user is None:
        return render(request, "link_used.html", {"command": TYPED_COMMAND}, status=410)
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    return redirect("/")
