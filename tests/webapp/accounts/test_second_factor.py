"""Tests of the second factor: setting it up, signing in with it, its limits, and turning it off."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pyotp
import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.test import Client

from tests.conftest import PASSWORD
from webapp.accounts import limits, second_factor
from webapp.accounts.encryption import decrypt
from webapp.accounts.links import make_link
from webapp.accounts.models import RecoveryCode, SecondFactor, User
from webapp.audit.models import AuditEntry
from webapp.live.socket_auth import CloseSocket, Handshake, check

ClientAs = Callable[[User | None], Client]
JSON = "application/json"


class Phone:
    """The app that makes codes. Each call of `code` moves the clock of the test on, so that it returns a code that was
    not used yet.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = time.time()
        self.secret = ""
        monkeypatch.setattr(second_factor, "time", SimpleNamespace(time=lambda: self.now))

    def code(self, later: float = 30) -> str:
        self.now += later
        return str(pyotp.TOTP(self.secret).at(self.now))


@pytest.fixture
def phone(monkeypatch: pytest.MonkeyPatch) -> Phone:
    return Phone(monkeypatch)


@pytest.fixture
def guarded(owner: User, phone: Phone) -> list[str]:
    """Turn on the second factor of `owner`, and return the recovery codes."""
    phone.secret = second_factor.begin(user=owner).secret
    return second_factor.confirm(user=owner, code=phone.code())


@pytest.fixture
def demanding(settings: Any) -> Iterator[Callable[[str], None]]:
    def demand(value: str) -> None:
        settings.CONFIG.values["MASKWRIGHT_SECOND_FACTOR"] = value

    yield demand
    demand("optional")


def sign_in(code: str = "", password: str = PASSWORD, client: Client | None = None) -> tuple[int, str]:
    body = {"username": "owner", "password": password, "code": code}
    answer = (client or Client()).post("/api/sign-in", body, JSON)
    return answer.status_code, answer.json().get("code", "")


def actions() -> list[tuple[str, str]]:
    return list(AuditEntry.objects.filter(action__startswith="second").values_list("action", "who_name").order_by("pk"))


def test_a_person_sets_it_up_and_is_asked_for_it(client_as: ClientAs, owner: User, phone: Phone) -> None:
    client = client_as(owner)

    def post(call: str, **body: str) -> Any:
        return client.post(f"/api/me/second-factor{call}", body, JSON)

    assert client.get("/api/me/second-factor").json() == {"on": False, "demanded": False, "codes_left": 0}
    assert post("/confirm", code="123456").json()["code"] == "nothing_begun"
    assert post("", current_password="wrong").json()["code"] == "wrong_password"
    assert post("", current_password=PASSWORD).status_code == 201
    begun = post("", current_password=PASSWORD).json()
    assert begun["picture"].startswith("data:image/svg+xml")
    assert begun["address"] == f"otpauth://totp/Maskwright:owner?secret={begun['secret']}&issuer=Maskwright"
    phone.secret = begun["secret"]
    assert post("/confirm", code="000000").json()["code"] == "wrong_code"
    assert sign_in() == (200, ""), "what is not confirmed is not asked for"
    code = phone.code()
    recovery = post("/confirm", code=code).json()["recovery_codes"]
    assert len(set(recovery)) == 10
    assert client.get("/api/me/second-factor").json() == {"on": True, "demanded": False, "codes_left": 10}
    assert post("", current_password=PASSWORD).json()["code"] == "second_factor_on"
    assert sign_in() == (400, "code_needed")
    assert sign_in(password="wrong") == (400, "sign_in_failed"), "only the right password leads to the question"
    assert sign_in(code) == (400, "wrong_code"), "the code that confirmed it is used up"
    assert sign_in(phone.code()) == (200, "")
    renewed = post("/codes", code=phone.code()).json()["recovery_codes"]
    assert not set(renewed) & set(recovery)
    assert post("/off", code="000000").json()["code"] == "wrong_code"
    assert post("/off", code=renewed[0]).status_code == 204
    assert sign_in() == (200, "")
    assert not RecoveryCode.objects.exists()
    assert [action for action, _ in actions()] == [
        f"second_factor.{end}" for end in ("on", "wrong", "codes", "wrong", "off")
    ]


def test_a_code_works_once_and_only_near_its_time(guarded: list[str], phone: Phone) -> None:
    code = phone.code()
    assert sign_in(f"{code[:3]} {code[3:]}") == (200, "")
    assert sign_in(code) == (400, "wrong_code")
    early = phone.code(later=30)
    phone.now += 30
    assert sign_in(early) == (200, ""), "the phone is half a minute behind"
    late = phone.code(later=30)
    phone.now += 90
    assert sign_in(late) == (400, "wrong_code")


def test_a_recovery_code_works_once_and_is_not_in_the_database(guarded: list[str], stranger: User) -> None:
    assert guarded[0].replace("-", "") not in str(list(RecoveryCode.objects.values()))
    assert sign_in(guarded[0].upper()) == (200, "")
    assert sign_in(guarded[0]) == (400, "wrong_code")
    assert second_factor.codes_left(User.objects.get(username="owner")) == 9
    assert sign_in("aaaa-bbbb-cccc-dddd") == (400, "wrong_code")


def test_wrong_codes_are_limited_and_do_not_count_as_wrong_passwords(guarded: list[str], phone: Phone) -> None:
    for _ in range(limits.PER_CODE):
        assert sign_in("000000") == (400, "wrong_code")
    assert sign_in(phone.code()) == (429, "too_many_tries")
    assert sign_in(password="wrong") == (400, "sign_in_failed")


def test_wrong_codes_are_limited_within_a_day_too(
    guarded: list[str], phone: Phone, owner: User, monkeypatch: Any
) -> None:
    monkeypatch.setattr(limits, "PER_CODE_A_DAY", 3)
    for _ in range(3):
        sign_in("000000")
    answer = Client().post("/api/sign-in", {"username": "owner", "password": PASSWORD, "code": "000000"}, JSON)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "86400")
    assert "Too many wrong codes. Wait a day" in answer.json()["text"]


def test_a_one_time_link_asks_for_the_code_and_waits_for_the_right_one(guarded: list[str], owner: User) -> None:
    link = make_link(user=owner)
    client = Client()
    assert b"Enter your code" in client.get(link).content
    assert client.get("/api/me").status_code == 401
    wrong = client.post(link, {"code": "000000"})
    assert (wrong.status_code, client.get("/api/me").status_code) == (400, 401)
    assert client.post(link, {"code": guarded[0]}).headers["location"] == "/"
    assert client.get("/api/me").json()["username"] == "owner"
    assert Client().get(link).status_code == 410


def test_an_administrator_and_a_command_turn_it_off(
    guarded: list[str], owner: User, stranger: User, capsys: Any
) -> None:
    stranger.is_superuser = True
    stranger.save()
    client = Client()
    client.force_login(stranger)
    body = {"action": "turn_second_factors_off", "_selected_action": [owner.pk, stranger.pk]}
    page = client.post("/admin/accounts/user/", body, follow=True).content.decode()
    assert "The second factor of owner is off." in page
    assert "The second factor of stranger was not on." in page
    assert sign_in() == (200, "")
    with pytest.raises(CommandError, match="owner has no second factor"):
        call_command("sign_in_link", "owner", "--second-factor-off")
    SecondFactor.objects.create(user=owner, secret="A" * 32, confirmed_at="2026-01-01T00:00Z")
    call_command("sign_in_link", "owner", "--second-factor-off")
    assert "/sign-in/link/" in capsys.readouterr().out
    assert actions()[1:] == [("second_factor.off", "stranger"), ("second_factor.off", "")]


def test_the_database_has_the_secret_only_encrypted_with_the_key_of_the_site(
    guarded: list[str], owner: User, phone: Phone, settings: Any
) -> None:
    stored = SecondFactor.objects.get(user=owner)
    assert phone.secret not in stored.secret
    assert decrypt(stored.secret) == phone.secret
    migration = import_module("webapp.accounts.migrations.0007_encrypted_second_factor")
    migration.decrypt_all(apps, None)
    assert SecondFactor.objects.get(user=owner).secret == phone.secret
    migration.encrypt_all(apps, None)
    assert sign_in(phone.code()) == (200, "")
    settings.SECRET_KEY = "another key of this site, with at least fifty characters"
    assert sign_in(phone.code()) == (409, "second_factor_unreadable")
    assert sign_in(guarded[0]) == (200, ""), "a recovery code works with any key"


def test_who_must_have_one_can_do_nothing_else_before(
    demanding: Callable[[str], None], client_as: ClientAs, owner: User, stranger: User, phone: Phone
) -> None:
    owner.is_superuser = True
    owner.save()
    client, other = client_as(owner), client_as(stranger)
    demanding("admins")
    me = client.get("/api/me").json()
    assert me["second_factor_missing"] is True
    refused = client.get("/api/projects")
    assert (refused.status_code, refused.json()["code"]) == (403, "second_factor_needed")
    assert client.patch("/api/me", {"name": "New"}, JSON).status_code == 403
    assert client.get("/admin/").status_code == 302
    assert client.get("/metrics").status_code == 403
    with pytest.raises(CloseSocket):
        check(handshake(client, owner), opened=False)
    assert other.get("/api/projects").status_code == 200
    begun = client.post("/api/me/second-factor", {"current_password": PASSWORD}, JSON).json()
    phone.secret = begun["secret"]
    assert client.post("/api/me/second-factor/confirm", {"code": phone.code()}, JSON).status_code == 200
    assert client.get("/api/projects").status_code == 200
    assert client.get("/admin/").status_code == 200
    off = client.post("/api/me/second-factor/off", {"code": phone.code()}, JSON)
    assert (off.status_code, off.json()["code"]) == (409, "second_factor_demanded")
    demanding("everybody")
    assert other.get("/api/projects").status_code == 403
    assert other.post("/api/sign-out").status_code == 204


def handshake(client: Client, user: User) -> Handshake:
    session = client.session
    return Handshake(user.pk, session.session_key or "", session["_auth_user_hash"], 1)
