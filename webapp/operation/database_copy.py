"""Copies of the whole database in one file: SQLite by its own backup function, Postgres by pg_dump and pg_restore.

A copy can be written while Maskwright runs, and has the state of the database at one moment.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from django.conf import settings
from django.db import connection, connections

from webapp.configuration import DATABASE_FILE


class CopyFailed(Exception):
    """The database could not be copied. The text says why and what to do."""


def file_name() -> str:
    """Return the name that a copy has in a backup. It tells which kind of database it is for."""
    return "database.pgdump" if settings.TEAM_MODE else "database.sqlite3"


def copy_database(to: Path) -> None:
    """Write a copy of the database to the file `to`, readable by its owner only. Raises CopyFailed.

    It must not be called inside a transaction: SQLite would wait for the end of that transaction.
    """
    assert not connection.in_atomic_block
    os.close(os.open(to, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
    if settings.TEAM_MODE:
        _run("pg_dump", "--format=custom", f"--file={to}")
        return
    connection.ensure_connection()
    with closing(sqlite3.connect(to)) as copy:
        connection.connection.backup(copy)


def put_database(copy: Path) -> None:
    """Make `copy` the database of this site, which must be empty. Raises CopyFailed; then nothing has changed."""
    if settings.TEAM_MODE:
        _run("pg_restore", "--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges", str(copy))
        return
    with closing(sqlite3.connect(copy)) as opened:
        try:
            said = str(opened.execute("PRAGMA quick_check").fetchone()[0])
        except sqlite3.DatabaseError as error:
            said = str(error)
        if said != "ok":
            raise CopyFailed(f"The database in this backup is damaged: {said}")
    connections.close_all()
    database = Path(settings.HOME) / DATABASE_FILE
    for leftover in (f"{DATABASE_FILE}-wal", f"{DATABASE_FILE}-shm"):
        database.with_name(leftover).unlink(missing_ok=True)
    copy.chmod(0o600)
    copy.replace(database)


def _run(program: str, *arguments: str) -> None:
    """Run a program of Postgres against the database of this site."""
    known = connection.get_connection_params()
    names = {"dbname": "PGDATABASE", "user": "PGUSER", "password": "PGPASSWORD", "host": "PGHOST", "port": "PGPORT"}
    names |= {"sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT", "sslcert": "PGSSLCERT", "sslkey": "PGSSLKEY"}
    given = {variable: str(known[name]) for name, variable in names.items() if known.get(name)}
    database = [f"--dbname={known['dbname']}"]
    try:
        subprocess.run([program, *database, *arguments], env={**os.environ, **given}, check=True, capture_output=True)
    except FileNotFoundError:
        raise CopyFailed(
            f"{program} is not installed here. It comes with the client programs of Postgres (postgresql-client)."
        ) from None
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip().splitlines() or [f"status {error.returncode}"]
        raise CopyFailed(f"{program}: {said[-1]}") from None
