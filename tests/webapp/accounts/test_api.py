"""webapp/accounts/api.py"""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client, RequestFactory

from tests.conftest import PASSWORD
from webapp.accounts import limits
from webapp.accounts.api import MePatch, change_me
from webapp.accounts.models import User

ClientAs = Callable[[User | None], Client]


def sign_in(client: Client, username: str, password: str, **extra: Any) -> Any:
    body = {"username": username, "password": password}
    return client.post("/api/sign-in", body, "application/json", **extra)


def test_it_signs_in_and_out(owner: User) -> None:
    client = Client()
    assert client.get("/api/me").json() == {"code": "signed_out", "text": "Sign in first."}
    answer = sign_in(client, "owner", PASSWORD).json()
    assert answer == {
        "id": owner.pk,
        "username": "owner",
        "name": "Owner",
        "is_superuser": False,
        "has_password": True,
    }
    assert client.get("/api/me").json() == answer
    assert client.post("/api/sign-out").status_code == 204
    assert client.get("/api/me").status_code == 401


@pytest.mark.parametrize(("username", "password"), [("owner", "wrong"), ("nobody", PASSWORD)])
def test_a_wrong_name_and_a_wrong_password_read_the_same(owner: User, username: str, password: str) -> None:
    answer = sign_in(Client(), username, password)
    assert answer.status_code == 400
    assert answer.json() == {
        "code": "sign_in_failed",
        "text": "This user name and password do not fit together.",
    }


def test_it_stops_guessing_and_lets_others_in(owner: User, stranger: User) -> None:
    for _ in range(limits.PER_NAME_AND_ADDRESS):
        assert sign_in(Client(), "owner", "wrong").status_code == 400
    blocked = sign_in(Client(), "OWNER", PASSWORD)
    assert (blocked.status_code, blocked.json()["code"]) == (429, "too_many_tries")
    assert sign_in(Client(), "owner", PASSWORD, REMOTE_ADDR="192.0.2.7").status_code == 200
    assert sign_in(Client(), "stranger", PASSWORD).status_code == 200


def test_it_stops_one_address_that_tries_many_names(owner: User) -> None:
    for i in range(limits.PER_ADDRESS):
        assert sign_in(Client(), f"name{i}", "wrong").status_code == 400
    assert sign_in(Client(), "owner", PASSWORD).status_code == 429


def test_a_right_password_clears_ones_own_count(owner: User) -> None:
    for _ in range(3):
        for _ in range(limits.PER_NAME_AND_ADDRESS - 1):
            sign_in(Client(), "owner", "wrong")
        assert sign_in(Client(), "owner", PASSWORD).status_code == 200


@pytest.mark.parametrize("call", ["/api/sign-in", "/api/sign-out"])
def test_a_foreign_page_can_sign_nobody_in_or_out(owner: User, call: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    body = {"username": "owner", "password": PASSWORD}
    assert client.post(call, body, "application/json").status_code == 403
    assert client.get("/api/me").status_code == 200


def test_the_signed_out_page_gets_the_token_it_must_send(owner: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.get("/api/me")
    token = client.cookies["csrftoken"].value
    assert sign_in(client, "owner", PASSWORD, headers={"X-CSRFToken": token}).status_code == 200


def test_a_call_without_the_token_answers_like_every_error(owner: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    answer = client.patch("/api/me", {"name": "Changed"}, "application/json")
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    owner.refresh_from_db()
    assert owner.name == "Owner"


def test_it_sets_the_first_password_without_an_old_one(client_as: ClientAs, db: None) -> None:
    user = User.objects.create_user("linked")
    client = client_as(user)
    assert not client.get("/api/me").json()["has_password"]
    answer = client.patch("/api/me", {"password": "a long enough one"}, "application/json")
    assert answer.json()["has_password"]
    assert client.get("/api/me").status_code == 200  # still signed in here
    assert sign_in(Client(), "linked", "a long enough one").status_code == 200


def test_it_asks_for_the_old_password_and_refuses_a_weak_one(client_as: ClientAs, owner: User) -> None:
    client = client_as(owner)
    wrong = client.patch("/api/me", {"password": "a long enough one"}, "application/json")
    assert wrong.json()["code"] == "wrong_password"
    weak = client.patch("/api/me", {"password": "12345", "current_password": PASSWORD}, "application/json")
    assert weak.json()["code"] == "weak_password"
    owner.refresh_from_db()
    assert owner.check_password(PASSWORD)


def test_a_bad_body_is_named(db: None) -> None:
    answer = Client().post("/api/sign-in", {"username": "x"}, "application/json")
    assert answer.status_code == 422
    assert "password" in answer.json()["text"]
    assert Client().post("/api/sign-in", "{", "application/json").json()["code"] == "invalid"


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        ({"name": "New"}, "password"),
        ({"password": "a long enough one", "current_password": PASSWORD}, "name"),
        ({}, "name"),
    ],
)
def test_it_writes_only_what_it_changes(owner: User, body: dict[str, str], kept: str) -> None:
    request = RequestFactory().patch("/api/me")
    request.user = User.objects.get(pk=owner.pk)
    request.session = SessionStore()
    User.objects.filter(pk=owner.pk).update(**{kept: "meanwhile"})  # by another request, after the user was read
    change_me(request, MePatch(**body))
    owner.refresh_from_db()
    assert getattr(owner, kept) == "meanwhile"
    assert owner.name == body.get("name", owner.name)
    assert kept == "password" or owner.check_password(body.get("password", PASSWORD))
