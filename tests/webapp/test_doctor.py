"""Tests of webapp/doctor.py, which checks an installation and names what is wrong."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError
from django.utils import timezone

from webapp import doctor
from webapp.doctor import Finding
from webapp.inference import runner
from webapp.inference.models import Worker
from webapp.process.home_lock import HomeLock


def only(look: Callable[[], Iterator[Finding]]) -> Finding:
    (finding,) = look()
    return finding


def test_a_page_that_is_not_built(settings: Any, tmp_path: Path) -> None:
    settings.FRONTEND_DIST = tmp_path
    assert (only(doctor.page).state, "make setup" in only(doctor.page).remedy) == ("wrong", True)
    (tmp_path / "index.html").write_text("")
    assert only(doctor.page).state == "ok"


def test_a_wheel_needs_no_node_and_is_started_by_its_own_command(
    db: None, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "IN_CLONE", False)
    settings.HOME = settings.FRONTEND_DIST = tmp_path
    assert list(doctor.node()) == []
    monkeypatch.setattr(doctor, "COMMAND", "maskwright")
    assert only(doctor.studio).remedy == "Start it with `maskwright serve`."
    assert "pip install" in only(doctor.page).remedy


def test_a_data_folder_that_cannot_be_written(settings: Any, tmp_path: Path) -> None:
    settings.HOME = tmp_path / "gone"
    finding = only(doctor.data_folder)
    assert (finding.state, "MASKWRIGHT_HOME" in finding.remedy) == ("wrong", True)
    settings.HOME = tmp_path
    assert only(doctor.data_folder).state == "ok"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("free", "state"), [(100 << 20, "wrong"), (600 << 20, "note"), (100 << 30, "ok")])
def test_a_disk_that_fills_up(monkeypatch: pytest.MonkeyPatch, free: int, state: str) -> None:
    monkeypatch.setattr(doctor, "free_bytes", lambda: free)
    assert only(doctor.disk).state == state


def test_a_database_that_is_behind_or_away(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert only(doctor.database).text.startswith("SQLite 3.")
    monkeypatch.setattr(doctor, "pending_migrations", lambda: ["videos.0009"])
    assert only(doctor.database).text == "SQLite, 1 changes behind"
    assert "manage.py migrate" in only(doctor.database).remedy
    with monkeypatch.context() as patch:
        patch.setattr(doctor.connection.introspection, "table_names", list)
        assert only(doctor.database).text == "SQLite, has no tables yet"

    def away() -> list[str]:
        raise DatabaseError("connection refused\nmore lines")

    monkeypatch.setattr(doctor, "pending_migrations", away)
    assert (only(doctor.database).state, only(doctor.database).text) == ("wrong", "SQLite: connection refused")


def test_a_redis_that_does_not_answer(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.TEAM_MODE = True
    monkeypatch.setattr(doctor.celery.conf, "broker_write_url", "redis://127.0.0.1:1/0")
    finding = only(doctor.broker)
    assert (finding.state, "REDIS_URL" in finding.remedy) == ("wrong", True)


def test_a_worker_that_is_gone_where_one_should_be(db: None, settings: Any, tmp_path: Path) -> None:
    settings.HOME = tmp_path
    assert [finding.topic for finding in doctor.studio()] == ["Studio"]
    lock = HomeLock(tmp_path, "studio")
    lock.take()
    lock.write("http://127.0.0.1:8710")
    running, missing = doctor.studio()
    assert "http://127.0.0.1:8710" in running.text
    assert (missing.state, "manage.py worker" in missing.remedy) == ("wrong", True)
    worker = Worker.objects.create(name="here:1", pid=1, device="cpu", heartbeat=timezone.now())
    assert "here:1 computes on cpu" in list(doctor.studio())[1].text
    worker.heartbeat -= timedelta(minutes=1)
    worker.save()
    assert list(doctor.studio())[1].state == "wrong"


def test_a_device_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> str:
        raise ValueError("device: 'cuda' asks for a GPU, 0 can be used here")

    monkeypatch.setattr(runner, "tried_device", missing)
    assert (only(doctor.device).state, "MASKWRIGHT_DEVICE" in only(doctor.device).remedy) == ("wrong", True)


def test_every_engine_is_named_with_what_it_lacks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MASKWRIGHT_WEIGHTS", str(tmp_path))
    monkeypatch.setattr("segmentation.weights.ENGINES_FOLDER", tmp_path)
    engines = {engine.name: engine for engine in runner.engines()}
    findings = {finding.topic.split()[1]: finding for finding in doctor.engines()}
    assert findings.keys() == engines.keys()
    lacking = {name for name, finding in findings.items() if finding.state != "ok"}
    assert lacking == {name for name, engine in engines.items() if engine.needs_weights} != set()
    assert all(str(tmp_path) in findings[name].remedy for name in lacking)


def test_the_command_fails_when_something_is_wrong(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    findings = [Finding("Disk", "ok", "all fine"), Finding("Broker", "wrong", "is away", "Start it.")]
    monkeypatch.setattr("webapp.management.commands.doctor.examine", lambda: iter(findings))
    with pytest.raises(SystemExit) as ended:
        call_command("doctor")
    out = capsys.readouterr().out
    assert ended.value.code == 1
    assert "all fine" in out
    assert "-> Start it." in out
    assert "1 thing is wrong" in out
