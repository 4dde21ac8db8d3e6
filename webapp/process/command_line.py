"""Runs one command of manage.py. If the database cannot be used, it prints a sentence instead of a traceback."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import django
from django.conf import settings
from django.core.management import execute_from_command_line
from django.core.management.base import BaseCommand
from django.db import OperationalError, connection

from webapp.installation import COMMAND
from webapp.process.loading import without_collecting

# Options of Django that work with each command. The help of a command shows only those of its own.
OF_DJANGO = {
    "--version",
    "--verbosity",
    "--settings",
    "--pythonpath",
    "--no-color",
    "--force-color",
    "--skip-checks",
    "--traceback",
}


def run(arguments: Sequence[str]) -> None:
    """Run the command that `arguments` name.

    If the database cannot be used or has the tables of another version, or if the stored files are those of another
    site, a sentence says so and the program ends with status 2. With `--traceback`, a database that cannot be used
    raises.
    """
    BaseCommand.suppressed_base_arguments = OF_DJANGO
    # The checks take most of a second, and `--skip-checks` would stand in every help. `manage.py check` runs them.
    BaseCommand.requires_system_checks = []
    with without_collecting():
        django.setup()
        from webapp.operation.upgrade import OtherTables  # needs Django's settings
        from webapp.storage.failure import WrongFiles

    try:
        execute_from_command_line(list(arguments))
    except OperationalError as error:
        if "--traceback" in arguments:
            raise
        print(f"maskwright: {sentence(error)}", file=sys.stderr)
        sys.exit(2)
    except (OtherTables, WrongFiles) as problem:
        print(f"maskwright: {problem}", file=sys.stderr)
        sys.exit(2)


def sentence(error: OperationalError) -> str:
    """Return a sentence that says what is wrong with the database and what to do about it."""
    said = _reason() if settings.TEAM_MODE else None
    said = said or (str(error).strip().splitlines() or ["no reason given"])[0]
    if "no such table" in said or ("does not exist" in said and "relation" in said):
        return f"the database is not prepared ({said}). Run `{COMMAND} migrate`."
    if settings.TEAM_MODE:
        return f"the database that DATABASE_URL names cannot be used ({said}). Start it, or correct the URL."
    return f"the database in {settings.HOME} cannot be used ({said}). `{COMMAND} doctor` says more."


def _reason() -> str | None:
    """Return why Postgres accepts no connection, or None if it accepts one.

    The error of the connection pool only says that it got no connection in time.
    """
    import psycopg  # embedded mode does without it

    parameters = {**connection.get_connection_params(), "connect_timeout": 5}
    parameters.pop("pool", None)
    try:
        psycopg.connect(**parameters).close()
    except psycopg.Error as error:
        return str(error).strip().splitlines()[0]
    return None
