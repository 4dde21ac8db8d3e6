"""Tests of webapp/accounts/api.py: signing in and out, limits on attempts, and changes of the user's own account."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.db import connections
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
        "first_name": "",
        "last_name": "",
        "email": "",
        "is_superuser": False,
        "key_bindings": {},
        "has_password": True,
        "signs_in_outside": False,
        "lands": "projects",
        "second_factor_missing": False,
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


def test_it_stops_one_address_that_tries_many_peoples_passwords(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PER_ADDRESS", 8)
    for i in range(limits.PER_ADDRESS):
        User.objects.create(username=f"name{i}", password="!")
        assert sign_in(Client(), f"name{i}", "wrong").status_code == 400
    assert sign_in(Client(), "owner", PASSWORD).status_code == 429
    assert sign_in(Client(), "owner", PASSWORD, REMOTE_ADDR="192.0.2.7").status_code == 200


def test_names_that_nobody_has_lock_nobody_out(owner: User) -> None:
    for i in range(limits.PER_ADDRESS + 5):
        assert sign_in(Client(), f"nobody{i}", "wrong").status_code == 400
    assert sign_in(Client(), "owner", PASSWORD).status_code == 200


def test_one_address_that_was_stopped_cannot_use_up_the_limit_of_the_name(
    owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Attempts are limited for a user name and IP address together, and for the user name from all addresses.

    An attempt that the first limit refuses does not count towards the second.
    """
    monkeypatch.setattr(limits, "PER_NAME", 20)
    for _ in range(limits.PER_NAME + 1):
        sign_in(Client(), "owner", "wrong", REMOTE_ADDR="192.0.2.7")
    assert sign_in(Client(), "owner", PASSWORD).status_code == 200


def test_many_names_do_not_push_the_count_of_one_out_of_the_cache(owner: User) -> None:
    for _ in range(limits.PER_NAME_AND_ADDRESS):
        sign_in(Client(), "owner", "wrong")
    for i in range(1000):
        limits.try_sign_in(username=f"nobody{i}", address="127.0.0.1")
    assert sign_in(Client(), "owner", "wrong").status_code == 429


@pytest.mark.django_db(transaction=True)
def test_tries_at_the_same_time_cannot_all_pass(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed = []

    def slow(request: Any, username: str, password: str) -> None:
        hashed.append(username)
        time.sleep(0.3)

    monkeypatch.setattr("webapp.accounts.api.authenticate", slow)

    def guess(number: int) -> int:
        try:
            return int(sign_in(Client(), "owner", f"guess {number}").status_code)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(20) as threads:
        statuses = list(threads.map(guess, range(40)))
    assert statuses.count(400) == len(hashed) == limits.PER_NAME_AND_ADDRESS
    assert statuses.count(429) == 40 - limits.PER_NAME_AND_ADDRESS


def test_the_current_password_cannot_be_guessed_either(client_as: ClientAs, owner: User) -> None:
    """A change of the password needs the current password. Attempts are limited, so that it cannot be guessed there."""
    client = client_as(owner)

    def change(current: str) -> Any:
        body = {"password": "a long enough one", "current_password": current}
        return client.patch("/api/me", body, "application/json")

    for _ in range(limits.PER_SESSION_OWNER):
        assert change("wrong").json()["code"] == "wrong_password"
    blocked = change(PASSWORD)
    assert (blocked.status_code, blocked.json()["code"]) == (429, "too_many_tries")
    owner.refresh_from_db()
    assert owner.check_password(PASSWORD)
    assert sign_in(Client(), "owner", PASSWORD).status_code == 200


def test_signing_in_works_while_the_shared_cache_is_away(
    owner: User, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "_away_until", 0.0)  # monkeypatch restores the value for later tests.
    away = "redis://127.0.0.1:1/0"
    settings.CACHES = {
        **settings.CACHES,
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": away},
    }
    assert sign_in(Client(), "owner", PASSWORD).status_code == 200
    for _ in range(limits.PER_NAME_AND_ADDRESS):
        assert sign_in(Client(), "owner", "wrong").status_code == 400
    assert sign_in(Client(), "owner", PASSWORD).status_code == 429


@pytest.mark.parametrize("password", ["marguerite", "Marguerite1", "marguerite@example.org"])
def test_a_password_that_is_the_name_is_refused(client_as: ClientAs, db: None, password: str) -> None:
    user = User.objects.create_user("marguerite", email="marguerite@example.org", name="Marguerite Z")
    answer = client_as(user).patch("/api/me", {"password": password}, "application/json")
    assert (answer.status_code, answer.json()["code"]) == (400, "weak_password")


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
    assert client.get("/api/me").status_code == 200  # The browser that changed the password is still signed in.
    assert sign_in(Client(), "linked", "a long enough one").status_code == 200


def test_it_asks_for_the_old_password_and_refuses_a_weak_one(client_as: ClientAs, owner: User) -> None:
    client = client_as(owner)
    wrong = client.patch("/api/me", {"password": "a long enough one"}, "application/json")
    assert wrong.json()["code"] == "wrong_password"
    weak = client.patch("/api/me", {"password": "12345", "current_password": PASSWORD}, "application/json")
    assert weak.json()["code"] == "weak_password"
    owner.refresh_from_db()
    assert owner.check_password(PASSWORD)


def test_it_keeps_the_keys_of_a_person(client_as: ClientAs, owner: User, stranger: User) -> None:
    keys = {"frame.next": ["F", "Ctrl+ArrowRight"], "play": []}
    client = client_as(owner)
    assert client.patch("/api/me", {"key_bindings": keys}, "application/json").json()["key_bindings"] == keys
    client.patch("/api/me", {"name": "Another"}, "application/json")
    assert client.get("/api/me").json()["key_bindings"] == keys
    assert client_as(stranger).get("/api/me").json()["key_bindings"] == {}


@pytest.mark.parametrize("keys", [{"play": "P"}, {"play": ["x" * 41]}, {"": ["P"]}, {"play": ["P"] * 9}, ["P"]])
def test_keys_in_another_form_are_refused(client_as: ClientAs, owner: User, keys: object) -> None:
    answer = client_as(owner).patch("/api/me", {"key_bindings": keys}, "application/json")
    assert answer.status_code == 422
    assert "key_bindings" in answer.json()["text"]
    owner.refresh_from_db()
    assert owner.key_bindings == {}


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
def test_it_writes_only_what_it_changes(owner: User, body: dict[str, Any], kept: str) -> None:
    request = RequestFactory().patch("/api/me")
    request.user = User.objects.get(pk=owner.pk)
    request.session = SessionStore()
    User.objects.filter(pk=owner.pk).update(**{kept: "meanwhile"})  # as by another request after the user was read
    change_me(request, MePatch(**body))
    owner.refresh_from_db()
    assert getattr(owner, kept) == "meanwhile"
    assert owner.name == body.get("name", "meanwhile")
    assert kept == "password" or owner.check_password(body.get("password", PASSWORD))
