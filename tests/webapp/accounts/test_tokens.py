"""Tests of tokens for scripts: what they allow, what they do not, and that only their owner can make and see them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.test import Client
from django.utils import timezone

from tests.conftest import make_project
from webapp.accounts.models import Token, User
from webapp.accounts.tokens import MOST_TOKENS, find_token, make_token
from webapp.asgi import router
from webapp.problems import TOKEN_NOT_TAKEN, TOKEN_NOT_VALID, Problem
from webapp.projects.models import Project

ClientAs = Callable[[User | None], Client]
JSON = "application/json"


def bearer(secret: str) -> Client:
    return Client(enforce_csrf_checks=True, headers={"Authorization": f"Bearer {secret}"})


def a_token(by: User, **given: Any) -> str:
    values: dict[str, Any] = {"name": "script", "projects": None, "may_write": True, "days": None}
    return make_token(by=by, **(values | given))[1]


def test_the_secret_is_shown_once_and_only_its_hash_is_stored(client_as: ClientAs, owner: User) -> None:
    client = client_as(owner)
    made = client.post("/api/tokens", {"name": "Nightly"}, content_type=JSON).json()
    secret = made.pop("secret")
    assert client.get("/api/tokens").json() == [made]
    assert made["hint"] == secret[-4:]
    row = Token.objects.values().get()
    assert secret not in str(row)
    assert bearer(secret).get("/api/me").json()["username"] == "owner"


def test_a_token_signs_in_without_a_session_and_without_a_csrf_token(owner: User, project: Project) -> None:
    answer = bearer(a_token(owner)).patch(f"/api/projects/{project.pk}", {"name": "Coast"}, content_type=JSON)
    assert (answer.status_code, answer.json()["name"]) == (200, "Coast")


@pytest.mark.parametrize("secret", ["", "mwt_guess", "\x00", "ü" * 50])
def test_a_wrong_token_is_refused(owner: User, secret: str) -> None:
    a_token(owner)
    client = Client()
    assert client.get("/api/me", headers={"Authorization": f"Bearer {secret}"}).status_code == 401


def test_a_token_for_reading_changes_nothing(owner: User, project: Project) -> None:
    client = bearer(a_token(owner, may_write=False))
    assert client.get(f"/api/projects/{project.pk}").status_code == 200
    answer = client.patch(f"/api/projects/{project.pk}", {"name": "Coast"}, content_type=JSON)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    project.refresh_from_db()
    assert project.name == "Reef"


def test_a_token_of_some_projects_sees_no_other(owner: User, project: Project) -> None:
    other = make_project("Coast", owner)
    client = bearer(a_token(owner, projects=[other.pk]))
    assert [row["id"] for row in client.get("/api/projects").json()] == [other.pk]
    assert client.get(f"/api/projects/{project.pk}").status_code == 404
    assert client.post("/api/projects", {"name": "New"}, content_type=JSON).status_code == 403


def test_a_token_of_a_project_whose_owner_left_it_sees_nothing(owner: User, annotator: User, project: Project) -> None:
    secret = a_token(annotator, projects=[project.pk])
    annotator.memberships.all().delete()
    assert bearer(secret).get(f"/api/projects/{project.pk}").status_code == 404


@pytest.mark.parametrize("end", ["revoked", "expired", "inactive"])
def test_a_token_ends(client_as: ClientAs, owner: User, end: str) -> None:
    secret = a_token(owner, days=1)
    token = Token.objects.get()
    if end == "revoked":
        assert client_as(owner).delete(f"/api/tokens/{token.pk}").status_code == 204
        assert client_as(owner).get("/api/tokens").json()[0]["revoked_at"] is not None
    elif end == "expired":
        Token.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    else:
        User.objects.filter(pk=owner.pk).update(is_active=False)
    assert find_token(secret) is None
    for bad in (secret, "mwt_guess"):  # The answers are equal, so nobody learns which secrets were tokens once.
        answer = bearer(bad).get("/api/me")
        assert (answer.status_code, answer.json()) == (401, {"code": "signed_out", "text": TOKEN_NOT_VALID})


def test_a_call_that_takes_no_token_says_so(owner: User) -> None:
    answer = bearer(a_token(owner)).get("/api/tokens")
    assert (answer.status_code, answer.json()) == (401, {"code": "signed_out", "text": TOKEN_NOT_TAKEN})


def test_nobody_revokes_the_token_of_another(client_as: ClientAs, owner: User, stranger: User) -> None:
    secret = a_token(owner)
    assert client_as(stranger).delete(f"/api/tokens/{Token.objects.get().pk}").status_code == 404
    assert find_token(secret) is not None
    assert client_as(stranger).get("/api/tokens").json() == []


@pytest.mark.parametrize(("method", "address"), [("post", "/api/tokens"), ("patch", "/api/me")])
def test_a_token_neither_makes_tokens_nor_changes_the_account(owner: User, method: str, address: str) -> None:
    call = getattr(bearer(a_token(owner)), method)
    assert call(address, {"name": "more"}, content_type=JSON).status_code in (401, 403)
    assert Token.objects.count() == 1
    assert User.objects.get(pk=owner.pk).name == "Owner"


def test_the_last_use_is_stored(owner: User) -> None:
    secret = a_token(owner)
    assert Token.objects.get().last_used_at is None
    bearer(secret).get("/api/me")
    first = Token.objects.get().last_used_at
    assert first is not None
    bearer(secret).get("/api/me")
    assert Token.objects.get().last_used_at == first, "a use within a minute is not stored again"


def test_a_person_has_so_many_tokens_and_no_more(owner: User) -> None:
    for _ in range(MOST_TOKENS):
        a_token(owner)
    with pytest.raises(Problem) as refused:
        a_token(owner)
    assert refused.value.code == "too_many_tokens"


def test_the_api_has_a_versioned_address(client_as: ClientAs, owner: User, project: Project) -> None:
    client = client_as(owner)
    for address in ("/projects", f"/projects/{project.pk}", "/me", "/nothing"):
        versioned, plain = client.get(f"/api/v1{address}"), client.get(f"/api{address}")
        assert (versioned.status_code, versioned.content) == (plain.status_code, plain.content)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("valid", "status"), [(True, 404), (False, 401)])
async def test_a_chunk_is_taken_from_whoever_has_a_token(valid: bool, status: int) -> None:
    """The ASGI application checks the token before it reads the body of a chunk of an upload.

    With a valid token the status is 404, because the upload does not exist; otherwise it is 401.
    """
    owner = await sync_to_async(User.objects.create_user)("owner")
    secret = await sync_to_async(a_token)(owner)
    sent: list[Any] = []

    parts = [{"type": "http.request", "body": b"abc", "more_body": False}]

    async def receive() -> dict[str, Any]:
        return parts.pop() if parts else await asyncio.Event().wait()  # type: ignore[return-value]  # waits for ever

    async def send(message: Any) -> None:
        sent.append(message)

    authorization = f"Bearer {secret if valid else 'guess'}".encode()
    scope = {
        "type": "http",
        "method": "PATCH",
        "path": "/api/v1/uploads/0f8fad5b-d9cb-469f-a165-70867728950e",
        "query_string": b"",
        "headers": [
            (b"authorization", authorization),
            (b"content-length", b"3"),
            (b"upload-offset", b"0"),
            (b"host", b"testserver"),
        ],
    }
    await router(scope, receive, send)
    assert sent[0]["status"] == status
    assert valid or parts, "the body was not read"
    assert valid or json.loads(sent[1]["body"]) == {"code": "signed_out", "text": TOKEN_NOT_VALID}
