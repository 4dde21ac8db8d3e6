"""Keeps exports from writing heartbeats, which wait for the transaction in which each test runs."""

from __future__ import annotations

import pytest

from webapp.annotation.export import jobs


@pytest.fixture(autouse=True)
def no_heartbeat(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test wait for a heartbeat.

    Its thread has a connection of its own, on which SQLite waits 20 seconds for the transaction of the test.
    """
    monkeypatch.setattr(jobs, "BEAT_SECONDS", 3600.0)
