"""The page of an invitation. Django renders it, because it is shown to people who have no account yet."""

from __future__ import annotations

from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from webapp.accounts.models import User
from webapp.problems import Problem
from webapp.projects.invitations import find_invitation, join, register

BACKEND = "django.contrib.auth.backends.ModelBackend"


@never_cache
@require_http_methods(["GET", "POST"])
def open_invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Show who invites to which project, and let the person join with their account or make one.

    A used or old invitation answers 410.
    """
    invitation = find_invitation(token)
    if invitation is None:
        return render(request, "invitation_used.html", status=410)
    user, problem = request.user, None
    if request.method == "POST":
        try:
            if isinstance(user, User) and user.is_active:
                join(invitation=invitation, user=user)
            else:
                names = (_field(request, "first_name"), _field(request, "last_name"))
                password = request.POST.get("password", "")[:1000]
                made = register(
                    invitation=invitation, username=_field(request, "username"), password=password, names=names
                )
                login(request, made, backend=BACKEND)
            return redirect(f"/projects/{invitation.project_id}")
        except Problem as error:
            problem = error
    given = {name: _field(request, name) for name in ("username", "first_name", "last_name")}
    given["first_name"] = given["first_name"] or invitation.first_name
    given["last_name"] = given["last_name"] or invitation.last_name
    context = {"invitation": invitation, "problem": problem, "given": given}
    return render(request, "invitation.html", context, status=400 if problem else 200)


def _field(request: HttpRequest, name: str) -> str:
    return request.POST.get(name, "").replace("\0", "")[:200]
