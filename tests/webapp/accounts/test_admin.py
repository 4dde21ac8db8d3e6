"""Tests of webapp/accounts/admin.py: who can sign in to Django's admin site, and what can be done there."""

from typing import Any

import pytest
from django.test import Client

from tests.conftest import PASSWORD
from webapp.accounts import limits
from webapp.accounts.models import User


def test_only_a_superuser_gets_in(owner: User) -> None:
    client = Client()
    client.force_login(owner)
    owner.is_staff = True  # Django admits users with `is_staff` to the admin site, Maskwright only superusers.
    owner.save()
    assert client.get("/admin/").status_code == 302
    owner.is_superuser = True
    owner.save()
    assert client.get("/admin/").status_code == 200
    assert client.get("/admin/accounts/user/add/").status_code == 200
    assert client.get("/admin/projects/project/").status_code == 200


def test_a_superuser_makes_sign_in_links(owner: User, stranger: User) -> None:
    owner.is_superuser = True
    owner.save()
    client = Client()
    client.force_login(owner)
    body = {"action": "make_sign_in_links", "_selected_action": [stranger.pk]}
    page = client.post("/admin/accounts/user/", body, follow=True).content.decode()
    address = page.split("http://testserver")[1].split()[0].split("<")[0]
    other = Client()
    other.get(address)
    assert other.get("/api/me").json()["username"] == "stranger"


@pytest.fixture
def superuser(owner: User) -> User:
    owner.is_superuser = owner.is_staff = True
    owner.save()
    return owner


def by_form(password: str, username: str = "owner", **extra: Any) -> Any:
    return Client().post("/admin/login/?next=/admin/", {"username": username, "password": password}, **extra)


def by_call(password: str) -> Any:
    return Client().post("/api/sign-in", {"username": "owner", "password": password}, "application/json")


@pytest.mark.parametrize("doors", ["ffffff", "cccccc", "fcfcfc", "cccfff", "fffccc"])
def test_wrong_passwords_count_together_at_both_doors(superuser: User, doors: str) -> None:
    assert len(doors) == limits.PER_NAME_AND_ADDRESS
    for door in doors:
        answer = by_form("wrong") if door == "f" else by_call("wrong")
        assert answer.status_code in (200, 400)
        assert b"Too many" not in answer.content
    blocked = by_form(PASSWORD)
    assert blocked.status_code == 200, "the form again, and no redirect"
    assert b"Too many wrong passwords. Wait 5 minutes, then try again." in blocked.content
    assert by_call(PASSWORD).status_code == 429
    assert by_form(PASSWORD, REMOTE_ADDR="192.0.2.7").status_code == 302


def test_a_name_in_other_letters_is_the_same_name(superuser: User) -> None:
    for name in ("owner", "\uff4fwner", " owner", "owner ", "own\uff45r", "owner"):
        by_form("wrong", name)
    assert by_form(PASSWORD).status_code == 200


def test_the_right_password_of_who_may_not_come_in_tells_nothing(owner: User) -> None:
    wrong, right = by_form("wrong"), by_form(PASSWORD)
    sentence = b"Please enter the correct"
    assert sentence in wrong.content
    assert sentence in right.content
    for _ in range(limits.PER_NAME_AND_ADDRESS - 2):
        by_form(PASSWORD)
    assert b"Too many" in by_form(PASSWORD).content


def test_a_right_password_clears_ones_own_count_at_the_admin(superuser: User) -> None:
    for _ in range(2):
        for _ in range(limits.PER_NAME_AND_ADDRESS - 1):
            by_form("wrong")
        assert by_form(PASSWORD).status_code == 302


def test_a_form_without_a_password_is_no_try(superuser: User) -> None:
    for _ in range(limits.PER_NAME_AND_ADDRESS):
        by_form("")
    assert by_form(PASSWORD).status_code == 302
