"""Tests of the list of browsers in which a person is signed in."""

from __future__ import annotations

from django.test import Client

from tests.conftest import PASSWORD
from webapp.accounts.models import SignedInBrowser, User

JSON = "application/json"


def sign_in(username: str, agent: str) -> Client:
    client = Client(headers={"user-agent": agent})
    client.post("/api/sign-in", {"username": username, "password": PASSWORD}, content_type=JSON)
    return client


def test_a_person_sees_where_they_are_signed_in_and_ends_one(owner: User, stranger: User) -> None:
    here, there = sign_in("owner", "Firefox"), sign_in("owner", "Chromium")
    sign_in("stranger", "Safari")
    found = here.get("/api/me/sessions").json()
    assert [(row["agent"], row["current"]) for row in found] == [("Chromium", False), ("Firefox", True)]
    assert found[0]["address"] == "127.0.0.1"
    assert here.delete(f"/api/me/sessions/{found[0]['id']}").status_code == 204
    assert there.get("/api/me").status_code == 401
    assert len(here.get("/api/me/sessions").json()) == 1
    theirs = SignedInBrowser.objects.get(user=stranger).pk
    assert here.delete(f"/api/me/sessions/{theirs}").status_code == 404


def test_a_person_signs_out_everywhere_else(owner: User, stranger: User) -> None:
    here, there, phone = sign_in("owner", "Firefox"), sign_in("owner", "Chromium"), sign_in("owner", "Phone")
    other = sign_in("stranger", "Safari")
    assert here.delete("/api/me/sessions").status_code == 204
    assert [client.get("/api/me").status_code for client in (here, there, phone, other)] == [200, 401, 401, 200]
    assert [row["agent"] for row in here.get("/api/me/sessions").json()] == ["Firefox"]


def test_who_signs_out_or_changes_the_password_is_listed_rightly(owner: User) -> None:
    here, there = sign_in("owner", "Firefox"), sign_in("owner", "Chromium")
    sign_in("owner", "Phone")
    there.post("/api/sign-out")
    assert [row["agent"] for row in here.get("/api/me/sessions").json()] == ["Phone", "Firefox"]
    body = {"password": "another correct horse", "current_password": PASSWORD}
    assert here.patch("/api/me", body, content_type=JSON).status_code == 200
    assert [(row["agent"], row["current"]) for row in here.get("/api/me/sessions").json()] == [("Firefox", True)]
