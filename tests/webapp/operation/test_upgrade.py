"""Tests of webapp/operation/upgrade.py: it copies the database before it migrates it, and refuses a newer database."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder

from webapp.accounts.models import User
from webapp.operation import upgrade
from webapp.operation.upgrade import KEPT_COPIES, NewerDatabase, migrate, pending_migrations

OLDER = ("annotation", "0008_engine_state")


@pytest.fixture
def older(transactional_db: None, owner: User, settings: Any, tmp_path: Path) -> Iterator[Path]:
    """Migrate the database back to the migration OLDER and yield the data folder. Migrate forward at the end."""
    settings.HOME = tmp_path
    executor = MigrationExecutor(connection)
    newest = executor.loader.graph.leaf_nodes()
    executor.migrate([OLDER])
    yield tmp_path
    MigrationExecutor(connection).migrate(newest)


def test_an_older_database_is_copied_before_it_is_changed_and_no_id_is_given_twice(older: Path) -> None:
    said: list[str] = []
    tables = ("annotation_round", "annotation_scribble")
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute("DELETE FROM sqlite_sequence WHERE name = %s", [table])
            cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, 77)", [table])
    migrate(said.append)
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, seq FROM sqlite_sequence WHERE name IN (%s, %s) ORDER BY name", tables)
        assert cursor.fetchall() == [(table, 77) for table in tables]
    assert pending_migrations() == []
    (copy,) = (older / "backups").iterdir()
    assert str(copy) in said[0]
    with closing(sqlite3.connect(copy)) as opened:
        assert opened.execute("SELECT username FROM accounts_user").fetchall() == [("owner",)]
        applied = opened.execute("SELECT name FROM django_migrations WHERE app = 'annotation' ORDER BY id").fetchall()
    assert applied[-1] == (OLDER[1],)
    assert copy.stat().st_mode & 0o077 == 0


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
