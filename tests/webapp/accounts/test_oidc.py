"""Tests of webapp/accounts/oidc.py and outside.py against a provider of OpenID Connect that runs in a thread."""

from __future__ import annotations

import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import httpx
import oidc_provider_mock
import pytest
from django.test import Client

from tests.conftest import PASSWORD
from webapp.accounts import oidc
from webapp.accounts.models import LDAP, OIDC, OutsideIdentity, User
from webapp.accounts.outside import OutsidePerson, account_of
from webapp.accounts.second_factor import is_demanded
from webapp.audit.models import AuditEntry
from webapp.notifications.kinds import Kind
from webapp.notifications.models import Notification
from webapp.notifications.notify import notify
from webapp.projects.models import Membership, Project, Role

PEOPLE = {
    "1-ada": {"preferred_username": "ada", "given_name": "Ada", "family_name": "L", "email": "ada@example.org"},
    "2-own": {"preferred_username": "Owner", "groups": ["masks"]},
    "3-lead": {"preferred_username": "lead", "groups": ["masks", "leads", "admins"]},
    "4-odd": {"preferred_username": "!!", "groups": "masks"},
}


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    users = [oidc_provider_mock.User(sub=sub, claims=claims) for sub, claims in PEOPLE.items()]
    with oidc_provider_mock.run_server_in_thread(user_claims=users, require_nonce=True) as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture
def config(provider: str, settings: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    values: dict[str, Any] = settings.CONFIG.values
    monkeypatch.setitem(values, "MASKWRIGHT_OIDC_ISSUER", provider)
    monkeypatch.setitem(values, "MASKWRIGHT_OIDC_CLIENT_ID", "maskwright")
    monkeypatch.setitem(values, "MASKWRIGHT_OIDC_CLIENT_SECRET", "a secret")
    for name in ("SIGN_IN_GROUPS", "ADMIN_GROUPS", "GROUP_ROLES"):
        monkeypatch.setitem(values, f"MASKWRIGHT_{name}", [])
    return values


def go_there(client: Client, query: str = "") -> str:
    """Return the address at the provider to which the site sends a person."""
    answer = client.get(f"/sign-in/oidc/{query}")
    assert answer.status_code == 302, answer.content
    return str(answer.headers["location"])


def come_back(client: Client, address: str, sub: str) -> Any:
    """Sign in as `sub` at the provider, and follow its redirect back to the site."""
    back = httpx.post(address, data={"sub": sub}).headers["location"]
    assert back.startswith("http://testserver/sign-in/oidc/return?")
    return client.get(back.removeprefix("http://testserver"))


def sign_in(sub: str, client: Client | None = None) -> Any:
    client = client or Client()
    return come_back(client, go_there(client), sub)


def test_the_first_sign_in_makes_a_person_and_the_next_finds_them(db: None, config: dict[str, Any]) -> None:
    client = Client()
    assert client.get("/api/sign-in").json() == {
        "providers": [{"name": "Single sign-on", "address": "/sign-in/oidc/"}],
    }
    address = go_there(client, "?next=/projects/7")
    asked = parse_qs(urlsplit(address).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["redirect_uri"] == ["http://testserver/sign-in/oidc/return"]
    assert come_back(client, address, "1-ada").headers["location"] == "/projects/7"
    me = client.get("/api/me").json()
    assert [me[name] for name in ("username", "first_name", "last_name", "email", "has_password", "is_superuser")] == [
        "ada",
        "Ada",
        "L",
        "ada@example.org",
        False,
        False,
    ]
    assert sign_in("1-ada").headers["location"] == "/"
    assert User.objects.count() == OutsideIdentity.objects.count() == 1
    assert [entry.action for entry in AuditEntry.objects.order_by("pk")] == ["user.connect", "sign_in", "sign_in"]


def test_an_account_of_the_same_name_is_not_taken_over_but_connected_by_its_owner(
    owner: User, stranger: User, config: dict[str, Any]
) -> None:
    refused = sign_in("2-own")
    assert refused.status_code == 409
    assert b"There is an account called Owner here" in refused.content
    client = Client()
    client.force_login(owner)
    assert b"Connect your account" in client.get("/sign-in/oidc/").content, "a link of a stranger connects nothing"
    assert client.post("/sign-in/oidc/", {"password": "wrong"}).status_code == 400
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(owner)
    assert strict.post("/sign-in/oidc/", {"password": PASSWORD}).status_code == 403
    assert client.post("/sign-in/oidc/", {"password": PASSWORD}).headers["refresh"] == "0; url=/sign-in/oidc/"
    assert sign_in("2-own", client).status_code == 302
    assert sign_in("2-own").status_code == 302
    assert OutsideIdentity.objects.get().user == owner
    other = Client()
    other.force_login(stranger)
    other.post("/sign-in/oidc/", {"password": PASSWORD})
    refused = sign_in("2-own", other)
    assert refused.status_code == 409
    assert b"You are not signed in" not in refused.content, "the stranger is still signed in"
    assert other.get("/api/me").json()["username"] == "stranger"


def test_who_was_switched_off_or_is_in_no_group_is_refused(db: None, config: dict[str, Any]) -> None:
    client = Client()
    sign_in("1-ada", client)
    User.objects.update(is_active=False)
    refused = sign_in("1-ada")
    assert refused.status_code == 403
    assert b"was switched off" in refused.content
    assert client.get("/api/me").status_code == 401, "the session has ended too"
    config["MASKWRIGHT_SIGN_IN_GROUPS"] = ["masks"]
    assert b"none of the groups" in sign_in("1-ada").content
    assert sign_in("3-lead").status_code == 302
    assert b"no user name" in sign_in("4-odd").content
    assert sign_in("nobody").status_code == 403
    assert User.objects.filter(is_active=True).count() == 1


def test_groups_give_and_take_roles_and_administration(project: Project, config: dict[str, Any]) -> None:
    User.objects.create_superuser("other", password=PASSWORD)
    config["MASKWRIGHT_ADMIN_GROUPS"] = ["admins"]
    config["MASKWRIGHT_GROUP_ROLES"] = [
        ("masks", project.pk, "annotator"),
        ("leads", project.pk, "reviewer"),
        ("others", project.pk, "manager"),
        ("masks", 99999, "viewer"),
    ]
    sign_in("3-lead")
    lead = User.objects.get(username="lead")
    assert lead.is_superuser
    assert Membership.objects.get(user=lead).role == Role.REVIEWER
    config["MASKWRIGHT_ADMIN_GROUPS"] = ["others"]
    config["MASKWRIGHT_GROUP_ROLES"] = [("masks", project.pk, "annotator"), ("others", project.pk, "manager")]
    sign_in("3-lead")
    lead.refresh_from_db()
    assert not lead.is_superuser
    assert Membership.objects.get(user=lead).role == Role.ANNOTATOR
    config["MASKWRIGHT_GROUP_ROLES"] = [("others", project.pk, "manager")]
    notify([lead.pk], Kind.MEMBER, "You are in.", project_id=project.pk)
    sign_in("3-lead")
    assert not Membership.objects.filter(user=lead).exists()
    assert not Notification.objects.filter(user=lead).exists(), "they tell of a project that is not theirs any more"
    Membership.objects.create(project=project, user=lead, role=Role.OWNER)
    sign_in("3-lead")
    assert Membership.objects.get(user=lead).role == Role.OWNER, "an owner stays"


def test_a_claim_of_groups_that_is_missing_takes_rights_away_but_not_the_last_administrator(
    project: Project, config: dict[str, Any]
) -> None:
    config["MASKWRIGHT_ADMIN_GROUPS"] = ["admins"]
    config["MASKWRIGHT_GROUP_ROLES"] = [("masks", project.pk, "annotator")]
    sign_in("1-ada")
    ada = User.objects.get(username="ada")
    Membership.objects.create(project=project, user=ada, role=Role.ANNOTATOR)
    User.objects.filter(pk=ada.pk).update(is_superuser=True, is_staff=True)
    sign_in("1-ada")
    ada.refresh_from_db()
    assert not Membership.objects.filter(user=ada).exists()
    assert ada.is_superuser, "somebody must be able to mend the settings"
    User.objects.create_superuser("other", password=PASSWORD)
    sign_in("1-ada")
    ada.refresh_from_db()
    assert not ada.is_superuser
    assert not ada.is_staff


def test_groups_that_the_provider_lists_elsewhere_are_refused_where_groups_decide(config: dict[str, Any]) -> None:
    claims = {"iss": "https://x", "sub": "x", "_claim_names": {"groups": "src1"}}
    assert oidc.person_of(claims).groups == frozenset()
    config["MASKWRIGHT_GROUP_ROLES"] = [("masks", 1, "annotator")]
    with pytest.raises(oidc.Problem, match="in so many groups"):
        oidc.person_of(claims)
    assert oidc.person_of({**claims, "groups": ["masks"]}).groups == {"masks"}


def test_an_account_of_the_provider_gets_no_password_here_and_no_second_way_in(
    db: None, config: dict[str, Any]
) -> None:
    client = Client()
    sign_in("1-ada", client)
    assert client.get("/api/me").json()["signs_in_outside"]
    answer = client.patch("/api/me", {"password": "a long enough one"}, "application/json")
    assert (answer.status_code, answer.json()["code"]) == (400, "signs_in_outside")
    assert not User.objects.get(username="ada").has_usable_password()
    for refused in (client.get("/sign-in/oidc/"), client.post("/sign-in/oidc/")):
        assert refused.status_code == 409
        assert b"cannot be connected" in refused.content
    assert OutsideIdentity.objects.count() == 1


def test_a_confirmed_connection_ends_with_a_sign_in_that_fails_and_after_five_minutes(
    owner: User, config: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Client()
    client.force_login(owner)
    client.post("/sign-in/oidc/", {"password": PASSWORD})
    assert client.get("/sign-in/oidc/return?error=access_denied").status_code == 403
    assert b"Connect your account" in client.get("/sign-in/oidc/").content
    client.post("/sign-in/oidc/", {"password": PASSWORD})
    address = go_there(client)
    later = time.time() + oidc.CONNECT_SECONDS
    monkeypatch.setattr(oidc, "time", SimpleNamespace(time=lambda: later))
    assert b"Connect your account" in client.get("/sign-in/oidc/").content
    assert come_back(client, address, "2-own").status_code == 409
    assert not OutsideIdentity.objects.exists()


def test_who_can_sign_in_with_the_password_of_a_directory_needs_a_second_factor(
    db: None, config: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(config, "MASKWRIGHT_SECOND_FACTOR", "everybody")
    person = account_of(OutsidePerson(OIDC, "x", "bo"))
    assert not is_demanded(person)
    OutsideIdentity.objects.create(user=person, provider=LDAP, subject="uid=bo")
    assert is_demanded(person)


@pytest.mark.parametrize(("provider", "said"), [(OIDC, "in the menu of your account"), (LDAP, "with the directory")])
def test_a_name_that_is_taken_tells_the_way_that_there_is(
    owner: User, config: dict[str, Any], provider: str, said: str
) -> None:
    with pytest.raises(oidc.Problem, match=said):
        account_of(OutsidePerson(provider, "x", owner.username))


def test_answers_that_were_not_asked_for_sign_nobody_in(db: None, config: dict[str, Any]) -> None:
    client, other = Client(), Client()
    back = httpx.post(go_there(client), data={"sub": "1-ada"}).headers["location"].removeprefix("http://testserver")
    assert other.get(back).status_code == 502, "the state belongs to another browser"
    assert client.get("/sign-in/oidc/return?error=access_denied").status_code == 403
    assert client.get("/sign-in/oidc/return").status_code == 502
    assert client.get("/sign-in/oidc/return?code=x&state=y").status_code == 502
    assert client.get(back).status_code == 302
    assert client.get(back).status_code == 502, "once only"
    assert not OutsideIdentity.objects.exclude(subject__endswith=" 1-ada").exists()
    for elsewhere in ("https://evil.example.org/", "//evil.example.org", "/\t/evil.example.org"):
        visitor = Client()
        address = go_there(visitor, f"?next={quote(elsewhere)}")
        assert come_back(visitor, address, "1-ada").headers["location"] == "/"


def test_a_provider_that_is_away_or_not_set_is_one_sentence(db: None, config: dict[str, Any]) -> None:
    config["MASKWRIGHT_OIDC_ISSUER"] = "http://127.0.0.1:1"
    answer = Client().get("/sign-in/oidc/")
    assert answer.status_code == 502
    assert b"cannot be reached" in answer.content
    config["MASKWRIGHT_OIDC_ISSUER"] = ""
    assert Client().get("/sign-in/oidc/").status_code == 404
    assert Client().get("/api/sign-in").json() == {"providers": []}


@pytest.mark.parametrize("claims", [{}, {"sub": "x"}, {"iss": "https://x"}])
def test_claims_without_a_subject_are_refused(claims: dict[str, Any]) -> None:
    with pytest.raises(oidc.Problem):
        oidc.person_of(claims)
