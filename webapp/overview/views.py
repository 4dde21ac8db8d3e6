"""Saves, lists and deletes saved views (filters and an order of a project's list), which are no views of Django."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q, QuerySet

from webapp.accounts.models import User
from webapp.overview.models import SavedView
from webapp.problems import Forbidden, NotFound, Problem
from webapp.projects.access import allows, memberships_of, require
from webapp.projects.models import Role

MOST_VIEWS = 100  # The most views that one person saves in a project.


def views_of(user: User, project_id: int) -> QuerySet[SavedView]:
    """Return a project's saved views (filters and sorting) that `user` sees: their own, and those that others share."""
    require(user, project_id)
    rows = SavedView.objects.filter(Q(user_id=user.pk) | Q(shared=True), project_id=project_id)
    return rows.select_related("user")


@transaction.atomic
def save_view(*, by: User, project_id: int, name: str, query: str, shared: bool) -> SavedView:
    """Save a view of `by`. One of theirs with the same name is replaced. Sharing needs a manager.

    Raises Problem: "no_name"; "too_many_views" (409).
    """
    require(by, project_id, Role.MANAGER if shared else Role.VIEWER)
    name = name.strip()
    if not name:
        raise Problem("no_name", "Give the view a name.", field="name")
    own = SavedView.objects.filter(project_id=project_id, user_id=by.pk)
    if not own.filter(name=name).exists() and own.count() >= MOST_VIEWS:
        raise Problem("too_many_views", f"You have {MOST_VIEWS} views here. Delete some that you do not use.", 409)
    values = {"query": query.removeprefix("?"), "shared": shared}
    return own.update_or_create(project_id=project_id, user_id=by.pk, name=name, defaults=values)[0]


def delete_view(*, by: User, view_id: int) -> None:
    """Delete one saved view. People may delete their own; a manager may also delete one that somebody else shares."""
    mine = memberships_of(by)
    view = SavedView.objects.filter(pk=view_id, project__in=mine.values("project")).first()
    if view is None or (view.user_id != by.pk and not view.shared):
        raise NotFound("view")
    role = mine.values_list("role", flat=True).get(project=view.project_id)
    if view.user_id != by.pk and not allows(role, Role.MANAGER):
        raise Forbidden("This view is somebody else's. A manager can delete it.")
    view.delete()
