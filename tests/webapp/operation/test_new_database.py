"""Tests of webapp/operation/new_database.py: tables made from the models are those that the migrations make."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

from webapp.operation.new_database import is_empty


@dataclass
class Two:
    """`tested` is the database of all tests. `empty` has no tables and is what Django uses during the test."""

    tested: BaseDatabaseWrapper
    empty: BaseDatabaseWrapper


@pytest.fixture
def two(db: None, tmp_path: Path) -> Iterator[Two]:
    tested = connections["default"]
    empty = tested.copy()
    empty.settings_dict["NAME"] = str(tmp_path / "new.sqlite3")
    connections["default"] = empty
    yield Two(tested, empty)
    empty.close()
    connections["default"] = tested


def tables(of: BaseDatabaseWrapper) -> dict[str, Any]:
    """Return columns, constraints and indexes of each table, by name."""
    with of.cursor() as cursor:
        found = {}
        for name in of.introspection.table_names(cursor):
            columns = cursor.execute(f"PRAGMA table_xinfo({name})").fetchall()
            constraints = of.introspection.get_constraints(cursor, name)
            found[name] = (
                {column[1]: column[2:] for column in columns},
                {
                    (*entry["columns"], entry["unique"], entry["primary_key"], entry["foreign_key"], entry["check"])
                    for entry in constraints.values()
                },
            )
    return found


def test_the_tables_of_a_new_database_are_those_that_the_migrations_make(two: Two) -> None:
    assert is_empty(two.empty)
    executor = MigrationExecutor(two.empty)
    executor.migrate(executor.loader.graph.leaf_nodes())
    assert tables(two.empty) == tables(two.tested)
    applied = [MigrationLoader(database).applied_migrations for database in (two.empty, two.tested)]
    assert applied[0].keys() == applied[1].keys()


def test_the_command_fills_a_whole_database_at_once_and_no_part_of_it(two: Two) -> None:
    call_command("migrate", plan=True, stdout=StringIO())
    assert is_empty(two.empty)
    call_command("migrate", "contenttypes", verbosity=0)
    assert set(two.empty.introspection.table_names()) == {"django_content_type", "django_migrations"}
    assert not is_empty(two.empty)
