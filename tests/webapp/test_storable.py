"""Tests that what the databases cannot store is refused with a message."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from webapp.accounts.models import User
from webapp.projects.models import Project
from webapp.storable import MOST, NUL, NUMBER, refusal_of


@pytest.mark.parametrize(
    "data",
    ["a\0", ["a", {"b": ["\0"]}], {"a\0": 1}, "\ud800", MOST + 1, [-MOST - 2], {"a": float("nan")}, float("inf")],
)
def test_it_is_found_at_any_depth(data: object) -> None:
    assert refusal_of(data)


def test_its_place_is_named() -> None:
    assert refusal_of({"path": [[0.5, float("nan")]]}) == f"path.0.1: {NUMBER}"
    assert refusal_of({"name": "a\0"}) == f"name: {NUL}"
    refusal = refusal_of({"na\ud800me": 1})
    assert refusal is not None
    assert refusal.startswith("na\\ud800me: ")
    assert refusal.encode(), "the refusal itself can be sent"


@pytest.mark.parametrize(
    "data", ["a", 0, None, ["a", {"b": [1.5, True]}], {"\\0": "\\u0000"}, "\U0001f41f", MOST, -MOST - 1]
)
def test_other_texts_pass(data: object) -> None:
    assert refusal_of(data) is None


@pytest.mark.parametrize("address", ["/api/projects", "/api/sign-in", "/api/projects/{project}/uploads"])
def test_a_call_is_refused_with_a_sentence(
    client_as: Callable[[User | None], Client], owner: User, project: Project, address: str
) -> None:
    body = {"name": "ree\0f", "size": 9, "username": "o\0", "password": "x"}
    answer = client_as(owner).post(address.format(project=project.pk), body, "application/json")
    assert answer.status_code == 400
    assert "NUL" in answer.json()["text"]
    assert Project.objects.count() == 1


@pytest.mark.parametrize("address", ["/api/search?q=%00", "/api/search?%00=1", "/api/status/workers/a%00b"])
def test_addresses_are_refused_too(client_as: Callable[[User | None], Client], owner: User, address: str) -> None:
    """A query with such a text would raise an error in Postgres, and the call would answer 500."""
    client = client_as(owner)
    answer = client.patch(address, {}, "application/json") if "status" in address else client.get(address)
    assert answer.status_code == 422
    assert "NUL" in answer.json()["text"]
