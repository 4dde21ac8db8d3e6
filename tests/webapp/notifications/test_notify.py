"""Tests of notifications: who gets them, how they are read, and how a person switches a kind off."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from webapp.accounts.models import User
from webapp.accounts.tokens import make_token
from webapp.notifications.kinds import TITLES, Kind
from webapp.notifications.models import Notification
from webapp.notifications.notify import Choice, choose, notify
from webapp.projects import members
from webapp.projects.models import Project

ClientAs = Callable[[User | None], Client]
JSON = "application/json"


def test_a_person_is_told_with_a_link_and_not_by_themselves(
    client_as: ClientAs, project: Project, owner: User, annotator: User
) -> None:
    people = [annotator.pk, owner.pk, None, annotator.pk]
    notify(people, Kind.SENT_BACK, "Reef was sent back.", link="/videos/7", project_id=project.pk, by=owner)
    answer = client_as(annotator).get("/api/me/notifications").json()
    assert (answer["unread"], answer["next"]) == (1, None)
    told = answer["notifications"][0]
    assert (told["kind"], told["text"], told["link"]) == ("sent_back", "Reef was sent back.", "/videos/7")
    assert (told["project"], told["read"]) == (project.pk, False)
    assert client_as(owner).get("/api/me/notifications").json()["notifications"] == []


def test_reading_some_or_all_leaves_those_of_other_people(client_as: ClientAs, owner: User, annotator: User) -> None:
    for text in ("a", "b", "c"):
        notify([annotator.pk, owner.pk], Kind.ASSIGNED, text)
    client = client_as(annotator)
    first = client.get("/api/me/notifications", {"limit": 1}).json()
    theirs = Notification.objects.filter(user=owner).values_list("pk", flat=True)
    ids = [first["notifications"][0]["id"], *theirs]
    assert client.post("/api/me/notifications/read", {"ids": ids}, content_type=JSON).json() == {"unread": 2}
    rest = client.get("/api/me/notifications", {"unread": True, "before": first["next"]}).json()
    assert [told["text"] for told in rest["notifications"]] == ["b", "a"]
    assert client.post("/api/me/notifications/read", {}, content_type=JSON).json() == {"unread": 0}
    assert Notification.objects.filter(user=owner, read_at=None).count() == 3


def test_a_kind_that_is_switched_off_is_not_shown(client_as: ClientAs, annotator: User) -> None:
    client = client_as(annotator)
    body = {"kinds": [{"kind": "assigned", "on_page": False, "by_mail": True}]}
    answer = client.patch("/api/me/notification-settings", body, content_type=JSON).json()
    assert answer == client.get("/api/me/notification-settings").json()
    assert [kind["kind"] for kind in answer["kinds"] if not kind["on_page"]] == ["assigned"]
    notify([annotator.pk], Kind.ASSIGNED, "One job.")
    notify([annotator.pk], Kind.SENT_BACK, "Another job.")
    shown = client.get("/api/me/notifications").json()["notifications"]
    assert [told["kind"] for told in shown] == ["sent_back"]


def test_a_mail_waits_only_for_people_with_an_address_where_mail_is_set_up(
    annotator: User, owner: User, settings: pytest.FixtureRequest
) -> None:
    User.objects.filter(pk=annotator.pk).update(email="a@example.org")
    notify([annotator.pk, owner.pk], Kind.ASSIGNED, "Before.")
    settings.SITE_URL = "https://masks.example.org"  # type: ignore[attr-defined]
    choose(user=annotator, choices={Kind.ASSIGNED: Choice(on_page=False), Kind.JOB_DUE: Choice(by_mail=False)})
    notify([annotator.pk, owner.pk], Kind.ASSIGNED, "After.")
    notify([annotator.pk], Kind.JOB_DUE, "Due.")
    rows = Notification.objects.filter(by_mail=True).values_list("user__username", "text", "on_page")
    assert list(rows) == [("annotator", "After.", False)]


def test_who_is_removed_from_a_project_keeps_none_of_its_notifications(
    project: Project, owner: User, annotator: User
) -> None:
    notify([annotator.pk], Kind.ASSIGNED, "In the project.", project_id=project.pk)
    notify([annotator.pk], Kind.ASSIGNED, "Elsewhere.", project_id=project.pk + 1)
    members.remove(by=owner, project_id=project.pk, user_id=annotator.pk)
    assert [row.text for row in Notification.objects.filter(user=annotator)] == ["Elsewhere."]


def test_a_token_of_some_projects_sees_only_their_notifications(project: Project, annotator: User) -> None:
    for text, project_id in (("here", project.pk), ("there", project.pk + 1), ("nowhere", None)):
        notify([annotator.pk], Kind.ASSIGNED, text, project_id=project_id)
    secret = make_token(by=annotator, name="script", projects=[project.pk], may_write=False, days=None)[1]
    answer = Client(headers={"Authorization": f"Bearer {secret}"}).get("/api/me/notifications").json()
    assert [told["text"] for told in answer["notifications"]] == ["here"]


def test_every_kind_has_a_title() -> None:
    assert set(TITLES) == set(Kind)
