"""Tests of the audit log: what is recorded, who can read it, its pages, and its CSV file."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from tests.conftest import PASSWORD
from webapp.accounts.models import User
from webapp.audit.entries import Thing, record
from webapp.audit.models import AuditEntry
from webapp.problems import Problem
from webapp.projects import members
from webapp.projects.models import Project, Role

ClientAs = Callable[[User | None], Client]
JSON = "application/json"


def actions(answer: Any) -> list[str]:
    return [entry["action"] for entry in answer.json()["entries"]]


def test_members_roles_and_settings_are_recorded_with_the_values_before_and_after(
    client_as: ClientAs, project: Project, owner: User, stranger: User
) -> None:
    client = client_as(owner)
    address = f"/api/projects/{project.pk}"
    client.post(f"{address}/members", {"username": "stranger", "role": "viewer"}, content_type=JSON)
    client.patch(f"{address}/members/{stranger.pk}", {"role": "annotator"}, content_type=JSON)
    client.patch(address, {"name": "Coast", "guide": "Look."}, content_type=JSON)
    client.delete(f"{address}/members/{stranger.pk}")
    found = client.get(f"{address}/audit").json()["entries"]
    assert [(entry["action"], entry["thing_name"], entry["details"]) for entry in found] == [
        ("member.remove", "stranger", {"role": "annotator"}),
        ("project.change", "Coast", {"name": ["Reef", "Coast"], "guide": ["0 characters", "5 characters"]}),
        ("member.role", "stranger", {"role": ["viewer", "annotator"]}),
        ("member.add", "stranger", {"role": "viewer"}),
    ]
    assert {entry["who_name"] for entry in found} == {"Owner"}
    assert actions(client.get(f"{address}/audit", {"action": "member"})) == [
        "member.remove",
        "member.role",
        "member.add",
    ]


def test_what_is_refused_is_not_recorded(project: Project, manager: User, owner: User) -> None:
    with pytest.raises(Problem):
        members.change_role(by=manager, project_id=project.pk, user_id=owner.pk, role=Role.VIEWER)
    assert not AuditEntry.objects.exists()


def test_sign_ins_and_wrong_passwords_are_recorded_without_what_was_typed(client_as: ClientAs, owner: User) -> None:
    client = client_as(None)
    for username, password in (("owner", "wrong"), ("nobody", "wrong"), ("owner", PASSWORD)):
        client.post("/api/sign-in", {"username": username, "password": password}, content_type=JSON)
    client.post("/api/sign-out", content_type=JSON)
    User.objects.filter(pk=owner.pk).update(is_superuser=True)
    found = client_as(owner).get("/api/audit").json()["entries"][1:]  # The first one is the sign-in of this client.
    assert [(entry["action"], entry["thing_name"]) for entry in found] == [
        ("sign_out", "owner"),
        ("sign_in", "owner"),
        ("sign_in_failed", "owner"),
    ]
    assert found[0]["details"] == {"address": "127.0.0.1"}
    assert "wrong" not in str(list(AuditEntry.objects.values()))


def test_pages_follow_each_other_without_gaps(client_as: ClientAs, project: Project, owner: User) -> None:
    for number in range(5):
        record(owner, f"video.{number}", Thing("video", number), project_id=project.pk)
    record(owner, "elsewhere", Thing("video", 9), project_id=project.pk + 1)
    client = client_as(owner)
    address = f"/api/projects/{project.pk}/audit"
    seen: list[str] = []
    before: dict[str, int] = {}
    while True:
        answer = client.get(address, {"limit": 2, **before})
        seen += actions(answer)
        if answer.json()["next"] is None:
            break
        before = {"before": answer.json()["next"]}
    assert seen == [f"video.{number}" for number in (4, 3, 2, 1, 0)]


def test_a_csv_file_has_every_entry_and_runs_nothing_in_a_spreadsheet(
    client_as: ClientAs, project: Project, owner: User
) -> None:
    record(owner, "video.delete", Thing("video", 7, "=HYPERLINK(1)"), project_id=project.pk, frames=3)
    answer = client_as(owner).get(f"/api/projects/{project.pk}/audit.csv")
    header, row = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert dict(zip(header, row, strict=True)) | {"id": "", "at": ""} == {
        "id": "",
        "at": "",
        "who": "owner",
        "project": str(project.pk),
        "action": "video.delete",
        "kind": "video",
        "thing": "7",
        "name": "'=HYPERLINK(1)",
        "details": "frames=3",
    }


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00%2B14:00", "9999-12-31T23:59:59-14:00", "soon"])
def test_a_moment_that_no_calendar_has_is_refused(
    client_as: ClientAs, project: Project, owner: User, moment: str
) -> None:
    answer = client_as(owner).get(f"/api/projects/{project.pk}/audit?since={moment}")
    assert answer.status_code == 422
    assert answer.json()["field"].endswith("since")


def test_entries_outlive_the_project_and_the_person(project: Project, owner: User, stranger: User) -> None:
    record(stranger, "member.add", Thing("user", 1), project_id=project.pk)
    Project.objects.all().delete()
    stranger.delete()
    entry = AuditEntry.objects.get()
    assert (entry.project_id, entry.who, entry.who_name) == (project.pk, None, "stranger")
