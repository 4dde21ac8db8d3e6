"""Tests of saved views: one's own, shared ones, replacing, and deleting."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from webapp.accounts.models import User
from webapp.overview import views
from webapp.projects.models import Project

ClientAs = Callable[[User | None], Client]
JSON = "application/json"


def test_own_views_and_shared_ones_are_listed(
    client_as: ClientAs, project: Project, manager: User, viewer: User
) -> None:
    address = f"/api/projects/{project.pk}/views"
    mine, theirs = client_as(viewer), client_as(manager)
    for name, query in (("Mine", "assignee=me"), ("Mine", "?order=due")):  # The second one replaces the first one.
        assert mine.post(address, {"name": name, "query": query}, content_type=JSON).status_code == 201
    assert mine.post(address, {"name": "All", "query": "", "shared": True}, content_type=JSON).status_code == 403
    assert mine.post(address, {"name": " ", "query": ""}, content_type=JSON).json()["code"] == "no_name"
    theirs.post(address, {"name": "Late", "query": "due=overdue", "shared": True}, content_type=JSON)
    theirs.post(address, {"name": "Private", "query": ""}, content_type=JSON)
    found = [(view["name"], view["query"], view["author"]) for view in mine.get(address).json()]
    assert found == [("Late", "due=overdue", "Manager"), ("Mine", "order=due", "Viewer")]


def test_others_views_are_deleted_by_managers_if_they_are_shared(
    client_as: ClientAs, project: Project, owner: User, manager: User, viewer: User
) -> None:
    shared = views.save_view(by=manager, project_id=project.pk, name="a", query="", shared=True)
    private = views.save_view(by=viewer, project_id=project.pk, name="b", query="", shared=False)
    assert client_as(viewer).delete(f"/api/views/{shared.pk}").status_code == 403
    assert client_as(owner).delete(f"/api/views/{private.pk}").status_code == 404
    assert client_as(owner).delete(f"/api/views/{shared.pk}").status_code == 204
    assert client_as(viewer).delete(f"/api/views/{private.pk}").status_code == 204


def test_a_person_saves_only_so_many(
    client_as: ClientAs, project: Project, viewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "MOST_VIEWS", 1)
    client, address = client_as(viewer), f"/api/projects/{project.pk}/views"
    answers = [client.post(address, {"name": name, "query": ""}, content_type=JSON) for name in ("a", "a", "b")]
    assert [answer.status_code for answer in answers] == [201, 201, 409]
