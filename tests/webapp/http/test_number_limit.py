"""Tests of numbers that are too large for a database key: one in a URL gets 404, one in a parameter of a call 422."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient, Client

from tests.webapp.access_rules import RULES
from webapp.accounts.models import User
from webapp.http.number_limit import MOST
from webapp.problems import NotFound
from webapp.projects.models import Project
from webapp.videos.access import role_for

ClientAs = Callable[[User | None], Client]
KEYS = (
    "project_id",
    "user_id",
    "video_id",
    "frame",
    "round_id",
    "export_id",
    "token_id",
    "trash_id",
    "view_id",
    "session_id",
    "task_id",
    "job_id",
    "import_id",
    "pin_id",
    "invitation_id",
    "webhook_id",
    "fetch_id",
    "delivery_id",
    "target_id",
    "team_id",
)
HUGE = (str(MOST + 1), f"1{'0' * 30}", f"1{'0' * 400}", f"1{'0' * 5000}")  # Python converts at most 4300 digits.


@pytest.fixture
def superuser(owner: User) -> User:
    owner.is_superuser = owner.is_staff = True
    owner.save()
    return owner


def addresses() -> list[tuple[str, str, str]]:
    return [(*call, key) for call in RULES for key in KEYS if f"{{{key}}}" in call[1]]


@pytest.mark.parametrize(("method", "path", "key"), addresses())
def test_a_call_finds_nothing_under_a_huge_number(
    client_as: ClientAs, project: Project, owner: User, method: str, path: str, key: str
) -> None:
    client = client_as(owner)
    client.raise_request_exception = False
    body, content_type = RULES[method, path].content({})
    for number in HUGE:
        given = {
            **dict.fromkeys(KEYS, project.pk),
            "kind": "video",
            "task_kind": "export",
            "scope": "project",
            key: number,
        }
        address = path.format(**given)
        answer: Any = client.generic(method, address, body, content_type, headers=dict(RULES[method, path].headers))
        assert answer.status_code == 404
        assert answer.json()["code"] == "not_found"


def test_every_number_of_a_call_is_tried() -> None:
    named = {part for _, path in RULES for part in path.replace(".", "/").split("/") if part.startswith("{")}
    assert named == {f"{{{key}}}" for key in (*KEYS, "upload_id", "kind", "queue", "task_kind", "worker", "scope")}


@pytest.mark.parametrize(
    "address",
    [
        "/admin/accounts/user/{0}/change/",
        "/admin/accounts/user/{0}/password/",
        "/admin/projects/project/{0}/history/",
        "/admin/accounts/user/?id__exact={0}",
        "/admin/accounts/user/?id__in=1,{0}",
    ],
)
def test_other_addresses_and_queries_find_nothing_either(client_as: ClientAs, superuser: User, address: str) -> None:
    client = client_as(superuser)
    client.raise_request_exception = False
    for number in HUGE:
        assert client.get(address.format(number)).status_code == 404


@pytest.mark.parametrize(
    ("address", "field"),
    [
        ("/api/rounds/1/masks?first={0}&last={0}", "first"),
        ("/api/rounds/1/masks?first=0&last=-{0}", "last"),
        ("/api/audit?before={0}", "before"),
    ],
)
def test_a_huge_number_in_a_parameter_is_refused_by_its_name(
    client_as: ClientAs, superuser: User, address: str, field: str
) -> None:
    for number in HUGE:
        answer = client_as(superuser).get(address.format(number))
        assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (422, "invalid", field)


def test_an_admin_action_on_a_huge_number_finds_nothing(client_as: ClientAs, superuser: User) -> None:
    client = client_as(superuser)
    client.raise_request_exception = False
    for action in ("make_sign_in_links", "delete_selected"):
        body = {"action": action, "_selected_action": [10**30]}
        assert client.post("/admin/accounts/user/", body).status_code == 404


def test_long_numbers_that_are_no_database_keys_are_allowed(
    client_as: ClientAs, superuser: User, settings: Any, tmp_path: Any
) -> None:
    (tmp_path / "index.html").write_text("<!doctype html>")
    settings.FRONTEND_DIST = tmp_path
    client = client_as(superuser)
    assert client.get(f"/admin/accounts/user/?q={10**30}").status_code == 200
    assert client.get(f"/sign-in/link/{10**30}").status_code == 410
    assert client.get(f"/projects/{10**30}").status_code == 200
    assert client.get(f"/api/projects/{MOST}").status_code == 404
    assert client.get(f"/api/videos/{MOST}/frames/0.jpg").status_code == 404
    assert client.get(f"/api/rounds/{MOST}/masks?first=0&last=1").status_code == 404


def test_it_answers_in_both_kinds_of_servers(db: None) -> None:
    answer: Any = async_to_sync(AsyncClient().get)(f"/api/videos/{10**30}/frames/0.jpg")
    assert (answer.status_code, json.loads(answer.content)["code"]) == (404, "not_found")
    answer = async_to_sync(AsyncClient().get)(f"/admin/accounts/user/{10**30}/change/")
    assert answer.status_code == 404


def test_a_socket_finds_no_video_under_a_huge_number(owner: User) -> None:
    with pytest.raises(NotFound):
        role_for(owner, 10**30)
