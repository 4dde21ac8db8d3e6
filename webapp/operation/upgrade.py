"""Brings the tables of a database up to date when a newer version of Maskwright is started."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import structlog
from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

from webapp.installation import COMMAND
from webapp.operation.database_copy import copy_database

log = structlog.get_logger(__name__)

KEPT_COPIES = 5


class OtherTables(Exception):
    """The tables of the database are not those of this version. The text says so, and what to do."""


class NewerDatabase(OtherTables):
    """A newer Maskwright has used this database."""


def pending_migrations() -> list[str]:
    """Return the names of the migrations that this database still lacks."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]


def migrate(say: Callable[[str], None]) -> None:
    """Bring the tables up to date. This is quick if they are.

    An existing SQLite database is copied first, and `say` gets a sentence that names the copy. Raises NewerDatabase;
    then nothing has changed.
    """
    refuse_newer_database()
    if not pending_migrations():
        return
    if connection.introspection.table_names() and not settings.TEAM_MODE:
        say(f"The database is older than this version. It was copied to {copy_aside()} before it is changed.")
    given = _given_ids()
    call_command("migrate", verbosity=0, interactive=False)
    _give_none_twice(given)


def _given_ids() -> dict[str, int]:
    """Return the highest id that each table of an SQLite database has given to a row.

    The result is empty for Postgres, where a migration does not change which id is given next.
    """
    if connection.vendor != "sqlite":
        return {}
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'")
        return dict(cursor.execute("SELECT name, seq FROM sqlite_sequence").fetchall()) if cursor.fetchone() else {}


def _give_none_twice(given: dict[str, int]) -> None:
    """Prevent new rows from getting an id that a deleted row had before the migration.

    Django changes a table of SQLite by making a new one, which would give ids from the highest that is still there on.
    No id may be given twice, because browsers keep pictures by the ids of videos and rounds, and folders are named
    after them.
    """
    tables = set(connection.introspection.table_names())
    with connection.cursor() as cursor:
        for table, last in given.items():
            if table not in tables:
                continue
            cursor.execute("SELECT max(seq) FROM sqlite_sequence WHERE name = %s", [table])
            if (cursor.fetchone()[0] or 0) < last:
                cursor.execute("DELETE FROM sqlite_sequence WHERE name = %s", [table])
                cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table, last])


def refuse_newer_database() -> None:
    """Raise NewerDatabase if the database has a migration of Maskwright that this version does not have."""
    loader = MigrationLoader(connection)
    known = set(loader.disk_migrations)
    known |= {replaced for migration in loader.disk_migrations.values() for replaced in migration.replaces}
    ours = {app for app, _ in known}
    newer = sorted(f"{app}.{name}" for app, name in set(loader.applied_migrations) - known if app in ours)
    if newer:
        raise NewerDatabase(
            f"A newer version of Maskwright has used this database (it has {newer[-1]}). Start that version, or "
            f"restore the copy in {copies_folder()} that was made before it changed the tables."
        )


def refuse_other_tables() -> None:
    """Raise OtherTables if a newer version has used the database, or if it lacks changes of this one.

    If the database is away, nothing is raised: web processes and workers start then, and wait for it.
    """
    try:
        refuse_newer_database()
        pending = pending_migrations()
    except DatabaseError as error:
        log.warning("tables_not_compared", error=str(error))
        return
    finally:
        connection.close()
    if pending:
        raise OtherTables(
            f"The database is not prepared for this version: it lacks {len(pending)} changes, first {pending[0]}. "
            f"Run `{COMMAND} migrate`, then start this again."
        )


def copies_folder() -> Path:
    return Path(settings.HOME) / "backups"


def copy_aside() -> Path:
    """Copy the database into the folder of copies and return the path. Only the newest five copies are kept."""
    folder = copies_folder()
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / f"before-upgrade-{datetime.now(UTC):%Y-%m-%dT%H%M%S}.sqlite3"
    copy_database(path)
    for old in sorted(folder.glob("before-upgrade-*.sqlite3"))[:-KEPT_COPIES]:
        old.unlink()
    return path
