"""Tests that a request gets status 503 and not 500 when the database has no free connection in time."""

from __future__ import annotations

import pytest
from django.db import OperationalError
from django.test import Client

from webapp.accounts.models import User
from webapp.projects import api


@pytest.mark.django_db
def test_a_busy_database_is_answered_503_with_a_time_to_try_again(
    client: Client, django_user_model: type[User], monkeypatch: pytest.MonkeyPatch
) -> None:
    client.force_login(django_user_model.objects.create_user("ada", password="x"))

    def busy(*args: object) -> None:
        raise OperationalError("couldn't get a connection after 10.00 sec")

    monkeypatch.setattr(api, "_with_counts", busy)
    answer = client.get("/api/projects")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "2"
    assert answer.json()["code"] == "busy"
