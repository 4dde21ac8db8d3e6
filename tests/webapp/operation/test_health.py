"""Tests of /healthz (the web process runs) and /readyz (database, broker and storage can be used)."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from django.db import OperationalError
from django.test import Client

from webapp.inference import workers
from webapp.operation import health


@pytest.fixture
def home(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(health, "KEPT_SECONDS", 0)
    settings.HOME = tmp_path
    settings.CONFIG = replace(settings.CONFIG, home=tmp_path)
    return tmp_path


def test_a_process_is_alive_without_its_database(client: Client) -> None:
    answer = client.get("/healthz")  # A database query would raise an error in this test.
    assert (answer.status_code, answer.content) == (200, b"ok\n")
    assert client.post("/healthz").status_code == 405
    by_address = {"Host": "10.1.2.3:8710"}  # As a probe of Kubernetes asks, and the health check of compose.yaml.
    assert client.get("/healthz", headers=by_address).status_code == 200
    assert client.get("/plain.css", headers=by_address).status_code == 400


def test_it_is_ready_when_all_parts_can_be_used(transactional_db: None, client: Client, home: Path) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"database": "ok", "broker": "ok", "storage": "ok", "workers": "none computes rounds"}
    workers.announce("cpu")
    assert client.get("/readyz").json()["workers"] == "ok"
    assert [path.name for path in home.iterdir()] == ["queue"], "nothing is written for whoever asks"


def test_a_database_that_is_away_is_named(
    db: None, client: Client, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> str:
        raise OperationalError("connection to server at 10.0.0.7 refused")

    monkeypatch.setitem(health.PARTS, "database", health.Part(away))
    answer = client.get("/readyz")
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert (answer.json()["database"], answer.json()["workers"]) == ("the database does not answer", "unknown")
    assert "10.0.0.7" not in answer.content.decode()


def test_a_folder_of_messages_that_cannot_be_used_is_named(db: None, client: Client, home: Path) -> None:
    (home / "queue").write_text("a file")
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["broker"] != "ok"
    assert answer.json()["storage"] == "ok"


def test_a_disk_that_is_nearly_full_is_named(
    db: None, client: Client, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "free_bytes", lambda: 1)
    assert client.get("/readyz").status_code == 503
    assert client.get("/readyz").json()["storage"] == "the disk is nearly full"


def test_a_part_that_hangs_is_asked_once_and_its_answer_counts_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    may_answer = threading.Event()

    def hang() -> str:
        asked.append("")
        may_answer.wait(30)
        return "ok"

    part = health.Part(hang)
    monkeypatch.setattr(health, "PATIENCE_SECONDS", 0.01)
    assert [part.said(), part.said()] == ["it does not answer"] * 2
    may_answer.set()
    monkeypatch.setattr(health, "PATIENCE_SECONDS", 30)
    assert [part.said(), part.said()] == ["ok", "ok"]
    assert len(asked) == 1


def test_a_part_is_asked_again_after_no_thread_could_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    part = health.Part(lambda: "ok")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threading.Thread, "start", Mock(side_effect=RuntimeError("can't start new thread")))
        assert part.said() == "the process cannot start a thread to ask it"
    assert part.said() == "ok"


def test_workers_are_not_waited_for_longer_than_other_parts(
    transactional_db: None, client: Client, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_answer = threading.Event()

    def hang() -> str:
        may_answer.wait(30)
        return "ok"

    monkeypatch.setattr(health, "WORKERS", health.Part(hang))
    answer = client.get("/readyz")
    may_answer.set()
    assert (answer.status_code, answer.json()["workers"]) == (200, "it does not answer")
