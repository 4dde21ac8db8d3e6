"""Tests of webapp/operation/new_database.py: tables made from the models are those that the migrations make."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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
from django.test import Client
from django.test.utils import CaptureQueriesContext

from webapp.accounts.models import User
from webapp.annotation.models import Round, Scribble
from webapp.jobs.models import Job
from webapp.operation.new_database import is_empty
from webapp.projects.models import Label, Project


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


def steps(database: BaseDatabaseWrapper, query: str) -> list[str]:
    """Return how SQLite would run a query: one text for each table that it reads, with the index that it uses."""
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


def migrate_step_by_step(database: BaseDatabaseWrapper) -> None:
    assert is_empty(database)
    executor = MigrationExecutor(database)
    executor.migrate(executor.loader.graph.leaf_nodes())


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
    requests: dict[str, list[str]], two: Two
) -> None:
    migrate_step_by_step(two.empty)
    assert tables(two.empty) == tables(two.tested)
    applied = [MigrationLoader(database).applied_migrations for database in (two.empty, two.tested)]
    assert applied[0].keys() == applied[1].keys()
    assert requests
    assert {query: steps(two.empty, query) for query in requests} == requests


def test_the_command_fills_a_whole_database_at_once_and_no_part_of_it(two: Two) -> None:
    call_command("migrate", plan=True, stdout=StringIO())
    assert is_empty(two.empty)
    call_command("migrate", "contenttypes", verbosity=0)
    assert set(two.empty.introspection.table_names()) == {"django_content_type", "django_migrations"}
    assert not is_empty(two.empty)
