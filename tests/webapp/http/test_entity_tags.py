"""Tests of ETag, If-None-Match and If-Match."""

from __future__ import annotations

from collections.abc import Callable

from django.test import Client

from tests.webapp.conftest import make_video
from webapp.accounts.models import User
from webapp.projects.models import Project

JSON = "application/json"


def test_an_answer_that_the_client_has_already_is_304_without_a_body(
    client_as: Callable[[User | None], Client], owner: User, project: Project
) -> None:
    client, address = client_as(owner), f"/api/projects/{project.pk}"
    first = client.get(address)
    assert first["Cache-Control"] == "private, no-cache"
    same = client.get(address, headers={"If-None-Match": first["ETag"]})
    assert (same.status_code, same.content, same["ETag"]) == (304, b"", first["ETag"])
    client.patch(address, {"name": "Lagoon"}, content_type=JSON)
    changed = client.get(address, headers={"If-None-Match": first["ETag"]})
    assert (changed.status_code, changed.json()["name"]) == (200, "Lagoon")


def test_a_page_of_a_list_is_sent_again_when_another_page_follows_it(
    client_as: Callable[[User | None], Client], owner: User, project: Project
) -> None:
    client, address = client_as(owner), f"/api/projects/{project.pk}/videos?limit=1"
    make_video(project, owner)
    first = client.get(address)
    assert "Link" not in first
    make_video(project, owner)
    again = client.get(address, headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content, "Link" in again) == (200, first.content, True)
    assert client.get(address, headers={"If-None-Match": again["ETag"]}).status_code == 304


def test_a_change_of_what_somebody_else_has_changed_is_refused(
    client_as: Callable[[User | None], Client], owner: User, viewer: User, project: Project
) -> None:
    client, address = client_as(owner), f"/api/projects/{project.pk}"
    seen = client.get(address)["ETag"]
    assert client.patch(address, {"name": "Atoll"}, JSON, headers={"If-Match": seen}).status_code == 200
    for late in (
        client.patch(address, {"name": "Lagoon"}, JSON, headers={"If-Match": seen}),
        client.delete(address, headers={"If-Match": seen}),
    ):
        assert (late.status_code, late.json()["code"], late.json()["field"]) == (412, "changed_meanwhile", "If-Match")
    project.refresh_from_db()
    assert (project.name, project.deleted_at) == ("Atoll", None)
    tags = f'"other", {client.get(address)["ETag"]}'
    assert client.patch(address, {"name": "Bay"}, JSON, headers={"If-Match": tags}).status_code == 200
    assert client.patch(address, {"name": ""}, JSON, headers={"If-Match": "*"}).status_code == 400
    assert client_as(viewer).patch(address, {"name": "No"}, JSON, headers={"If-Match": seen}).status_code == 412
    assert client_as(None).patch(address, {"name": "No"}, JSON, headers={"If-Match": seen}).status_code == 401
