"""Transactions in which long work with files is done between two SQL statements."""

from __future__ import annotations

from django.db import connection


def allow_silence() -> None:
    """Let the present transaction wait for this process for as long as it takes.

    Postgres ends other transactions that send no statement for 30 seconds (webapp/service_urls.py), because their
    process may be cut off. SQLite has no such limit.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
