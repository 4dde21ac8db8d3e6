"""Tests of one-time sign-in links: of making them, of their URL, and of the command that prints one."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from webapp.accounts.links import make_link, use_link
from webapp.accounts.models import SignInLink, User


def test_a_link_signs_in_once(owner: User) -> None:
    address = make_link(user=owner)
    client = Client()
    assert client.get(address).headers["location"] == "/"
    assert client.get("/api/me").json()["username"] == "owner"
    again = Client()
    used = again.get(address)
    assert used.status_code == 410
    assert b"sign_in_link" in used.content
    assert again.get("/api/me").status_code == 401


@pytest.mark.parametrize("typed", ["python manage.py", "maskwright"])
def test_the_page_of_a_used_link_names_the_command_of_this_installation(
    owner: User, monkeypatch: pytest.MonkeyPatch, typed: str
) -> None:
    monkeypatch.setattr("webapp.accounts.views.TYPED_COMMAND", typed, raising=False)
    address = make_link(user=owner)
    Client().get(address)
    shown = Client().get(address).content.decode()
    assert f"<pre>{typed} sign_in_link USERNAME</pre>" in shown


def test_the_database_does_not_hold_the_token(owner: User) -> None:
    token = make_link(user=owner).rsplit("/", 1)[1]
    link = SignInLink.objects.get()
    assert token not in str([getattr(link, field.attname) for field in SignInLink._meta.fields])


def test_a_newer_link_ends_the_older_one(owner: User) -> None:
    first, second = (make_link(user=owner).rsplit("/", 1)[1] for _ in range(2))
    assert use_link(token=first) is None
    assert use_link(token=second) == owner


def test_it_refuses_a_link_that_is_out_of_date(owner: User) -> None:
    token = make_link(user=owner).rsplit("/", 1)[1]
    SignInLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert use_link(token=token) is None


def test_it_refuses_the_link_of_an_account_that_is_switched_off(owner: User) -> None:
    token = make_link(user=owner).rsplit("/", 1)[1]
    User.objects.update(is_active=False)
    assert use_link(token=token) is None


def test_the_command_prints_a_link_that_works(db: None, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("sign_in_link", "new-person", "--create", "--address", "http://testserver/")
    printed = capsys.readouterr().out.strip()
    assert printed.startswith("http://testserver/sign-in/link/")
    client = Client()
    client.get(printed.removeprefix("http://testserver"))
    assert client.get("/api/me").json()["username"] == "new-person"


def test_the_command_makes_no_account_unasked(db: None) -> None:
    with pytest.raises(CommandError, match="--create"):
        call_command("sign_in_link", "nobody")
    assert not User.objects.exists()
