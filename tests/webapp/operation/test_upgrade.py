"""Tests of webapp/operation/upgrade.py: it leaves a database that is up to date alone, and refuses a newer one.

The upgrade of an older database is tested in test_new_database.py.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder

from webapp.operation import upgrade
from webapp.operation.upgrade import KEPT_COPIES, NewerDatabase, OtherTables, migrate, refuse_other_tables


def test_a_database_that_is_up_to_date_is_not_copied(db: None, settings: Any, tmp_path: Path) -> None:
    settings.HOME = tmp_path
    migrate(pytest.fail)
    assert list(tmp_path.iterdir()) == []


def test_only_the_latest_copies_are_kept(transactional_db: None, settings: Any, tmp_path: Path) -> None:
    settings.HOME = tmp_path
    (tmp_path / "backups").mkdir()
    for day in range(1, KEPT_COPIES + 3):
        (tmp_path / "backups" / f"before-upgrade-2020-01-0{day}T000000.sqlite3").touch()
    newest = upgrade.copy_aside()
    kept = sorted((tmp_path / "backups").iterdir())
    assert len(kept) == KEPT_COPIES
    assert kept[-1] == newest


def test_a_newer_database_is_refused(db: None, settings: Any, tmp_path: Path) -> None:
    settings.HOME = tmp_path
    MigrationRecorder(connection).record_applied("annotation", "0999_from_the_future")
    with pytest.raises(NewerDatabase, match=r"annotation\.0999_from_the_future"):
        migrate(pytest.fail)


def test_migrations_of_packages_that_are_gone_do_not_matter(db: None, settings: Any, tmp_path: Path) -> None:
    settings.HOME = tmp_path
    MigrationRecorder(connection).record_applied("gone_package", "0001_initial")
    migrate(pytest.fail)


def test_a_program_refuses_tables_that_are_not_those_of_its_version(
    db: None, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.HOME = tmp_path
    monkeypatch.setattr(connection, "close", lambda: None)  # Closing would end the transaction of the test.
    refuse_other_tables()
    recorder = MigrationRecorder(connection)
    recorder.record_unapplied("storage", "0001_initial")
    with pytest.raises(OtherTables, match=r"lacks .* changes, first storage\.0001_initial.*migrate"):
        refuse_other_tables()
    recorder.record_applied("storage", "0001_initial")
    recorder.record_applied("annotation", "0999_from_the_future")
    with pytest.raises(NewerDatabase, match=r"annotation\.0999_from_the_future"):
        refuse_other_tables()


def test_a_program_starts_while_the_database_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(upgrade, "refuse_newer_database", away)
    refuse_other_tables()
