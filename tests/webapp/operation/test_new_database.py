"""Tests of webapp/operation/new_database.py: tables made from the models are those that the migrations make.

A database of an older version that is upgraded shows what the migrations make, so its upgrade is tested here too.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
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
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext

from webapp.accounts.models import User
from webapp.annotation.models import Round, Scribble
from webapp.jobs.models import Job
from webapp.operation.new_database import is_empty
from webapp.operation.upgrade import migrate, pending_migrations
from webapp.projects.models import Label, Project

OLDER = ("annotation", "0008_engine_state")
NUMBERED = ("annotation_round", "annotation_scribble")  # Migrations after OLDER replace these tables by new ones.


@contextmanager
def using(database: BaseDatabaseWrapper) -> Iterator[None]:
    """Let Django use `database` instead of the database of all tests inside the block."""
    tested = connections["default"]
    connections["default"] = database
    try:
        yield
    finally:
        database.close()
        connections["default"] = tested


def new_database(path: Path) -> BaseDatabaseWrapper:
    """Return the connection to an SQLite file that does not exist yet."""
    database = connections["default"].copy()
    database.settings_dict["NAME"] = str(path)
    return database


@dataclass
class Upgraded:
    """`home` is the data folder of a `database` that was upgraded, and `said` what the upgrade told the user."""

    database: BaseDatabaseWrapper
    home: Path
    said: list[str]


@pytest.fixture(scope="module")
def upgraded(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Upgraded]:
    """Migrate an empty database step by step to OLDER, add a user, and upgrade it to the newest version.

    The ids of the tables NUMBERED were given up to 77, and none of their rows is left.
    """
    home, said = tmp_path_factory.mktemp("home"), list[str]()
    with django_db_blocker.unblock(), override_settings(HOME=home):
        database = new_database(home / "older.sqlite3")
        with using(database):
            assert is_empty(database)
            older = MigrationExecutor(database).migrate([OLDER])
            older.apps.get_model("accounts", "User").objects.create(username="owner")
            with database.cursor() as cursor:
                for table in NUMBERED:
                    cursor.execute("DELETE FROM sqlite_sequence WHERE name = %s", [table])
                    cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, 77)", [table])
            migrate(said.append)
        yield Upgraded(database, home, said)
        database.close()


@pytest.fixture
def empty(db: None, tmp_path: Path) -> Iterator[BaseDatabaseWrapper]:
    """Let Django use a database without tables."""
    database = new_database(tmp_path / "new.sqlite3")
    with using(database):
        yield database


def steps(database: BaseDatabaseWrapper, query: str) -> list[str]:
    """Return the steps by which SQLite would run a query, for example which table it reads with which index."""
    with database.cursor() as cursor:
        return [row[3] for row in cursor.execute(f"EXPLAIN QUERY PLAN {query}").fetchall()]


@pytest.fixture
def requests(project: Project, owner: User, client_as: Callable[[User], Client]) -> dict[str, list[str]]:
    """Return the queries of lists that people load often, and of a person's work on a video, each with the steps by
    which SQLite runs it.
    """
    label, client = Label.objects.create(project=project, name="Fish"), client_as(owner)
    filters = (
        "",
        "order=due&assignee=me",
        "order=worked&reviewer=me&stage=annotation",
        f"label={label.pk}",
        "due=week",
    )
    with CaptureQueriesContext(connections["default"]) as captured:
        for chosen in filters:
            assert client.get(f"/api/projects/{project.pk}/cards?{chosen}").status_code == 200
        assert client.get("/api/jobs").status_code == 200
        for model in (Scribble, Round):
            model.objects.filter(video=1, author=owner).first()
        Job.objects.filter(video=1, reviewer=owner).first()
    queries = [entry["sql"] for entry in captured.captured_queries if entry["sql"].startswith("SELECT")]
    return {query: steps(connections["default"], query) for query in queries}


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


def test_tables_and_plans_of_queries_are_those_of_a_database_that_was_migrated_step_by_step(
    requests: dict[str, list[str]], upgraded: Upgraded
) -> None:
    tested = connections["default"]
    assert tables(upgraded.database) == tables(tested)
    applied = [MigrationLoader(database).applied_migrations for database in (upgraded.database, tested)]
    assert applied[0].keys() == applied[1].keys()
    assert requests
    assert {query: steps(upgraded.database, query) for query in requests} == requests


def test_an_older_database_is_copied_before_it_is_changed_and_no_id_is_given_twice(
    db: None, upgraded: Upgraded
) -> None:
    with using(upgraded.database):
        assert pending_migrations() == []
        with upgraded.database.cursor() as cursor:
            cursor.execute("SELECT name, seq FROM sqlite_sequence WHERE name IN (%s, %s) ORDER BY name", NUMBERED)
            assert cursor.fetchall() == [(table, 77) for table in NUMBERED]
    (copy,) = (upgraded.home / "backups").iterdir()
    assert str(copy) in upgraded.said[0]
    with closing(sqlite3.connect(copy)) as opened:
        assert opened.execute("SELECT username FROM accounts_user").fetchall() == [("owner",)]
        applied = opened.execute("SELECT name FROM django_migrations WHERE app = 'annotation' ORDER BY id").fetchall()
    assert applied[-1] == (OLDER[1],)
    assert copy.stat().st_mode & 0o077 == 0


def test_the_command_fills_a_whole_database_at_once_and_no_part_of_it(empty: BaseDatabaseWrapper) -> None:
    call_command("migrate", plan=True, stdout=StringIO())
    assert is_empty(empty)
    call_command("migrate", "contenttypes", verbosity=0)
    assert set(empty.introspection.table_names()) == {"django_content_type", "django_migrations"}
    assert not is_empty(empty)
