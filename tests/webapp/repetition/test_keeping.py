"""Tests of Idempotency-Key: a call that is sent again with the same key takes effect once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.test import Client

from webapp.accounts.models import User
from webapp.projects.models import Project
from webapp.repetition.keeping import KEPT, LOST_AFTER, forget_old_answers
from webapp.repetition.models import KeptAnswer

JSON = "application/json"


def post(client: Client, name: str, key: str = "k1") -> Any:
    return client.post("/api/projects", {"name": name}, content_type=JSON, headers={"Idempotency-Key": key})


def test_a_repeated_call_takes_effect_once_and_has_the_same_answer(
    client_as: Callable[[User | None], Client], owner: User, stranger: User
) -> None:
    client, before = client_as(owner), Project.objects.count()
    first, again = post(client, "Reef"), post(client, "Reef")
    assert (first.status_code, first.content) == (again.status_code, again.content) == (201, again.content)
    assert first["Content-Type"] == again["Content-Type"]
    assert "Idempotency-Replayed" not in first
    assert again["Idempotency-Replayed"] == "true"
    assert Project.objects.count() == before + 1
    assert post(client, "Reef", "k2").json()["id"] != first.json()["id"]
    assert post(client_as(stranger), "Reef").json()["id"] != first.json()["id"]
    other = post(client, "Lagoon")
    assert (other.status_code, other.json()["code"], other.json()["field"]) == (422, "key_used", "Idempotency-Key")
    KeptAnswer.objects.update(created_at=Now() - KEPT - timedelta(minutes=1))
    forget_old_answers()
    assert not KeptAnswer.objects.exists()
    assert post(client, "Lagoon").status_code == 201


def test_a_call_that_runs_is_not_run_again_until_it_counts_as_lost(
    client_as: Callable[[User | None], Client], owner: User
) -> None:
    client = client_as(owner)
    post(client, "Reef")
    KeptAnswer.objects.update(status=None)
    running = post(client, "Reef")
    assert (running.status_code, running.json()["code"], running["Retry-After"]) == (409, "still_running", "1")
    KeptAnswer.objects.update(created_at=Now() - LOST_AFTER - timedelta(seconds=1))
    assert post(client, "Reef").status_code == 201


def test_a_refused_call_keeps_nothing_and_can_be_made_again(
    client_as: Callable[[User | None], Client], owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_as(owner)
    assert post(client, "").status_code in (400, 422)
    assert not KeptAnswer.objects.exists()
    assert post(client, "Reef").status_code == 201
    client.raise_request_exception = False
    before = Project.objects.count()
    monkeypatch.setattr("webapp.projects.api.Status", lambda *_: 1 / 0)
    assert post(client, "Lagoon", "k2").status_code == 500
    assert (Project.objects.count(), KeptAnswer.objects.count()) == (before, 1)


def test_a_key_that_cannot_be_kept_is_refused(client_as: Callable[[User | None], Client], owner: User) -> None:
    client = client_as(owner)
    for key in ("", "two words", "x" * 201, "\u00fc"):
        answer = post(client, "Reef", key)
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_key")
    answer = client.post("/api/tokens", {"name": "t"}, content_type=JSON, headers={"Idempotency-Key": "k"})
    assert (answer.status_code, answer.json()["code"]) == (400, "key_not_taken")
    assert post(client_as(None), "Reef").status_code == 401
    assert not KeptAnswer.objects.exists()
