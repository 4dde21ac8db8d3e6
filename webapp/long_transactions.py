"""Transactions in which long work with files is done between two SQL statements."""

from __future__ import annotations

from django.db import connection


def allow_silence() -> None:
    """Let this process send no statement in the current transaction for as long as it likes.

    Without this, Postgres ends a session that sends no statement for 30 seconds in a transaction
    (webapp/service_urls.py), because its process may be cut off. SQLite has no such limit.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
