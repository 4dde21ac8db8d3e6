"""Runs tests on Postgres of what it may do in another way than SQLite, such as locks of rows and casts of JSON."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from django.conf import settings

TESTS = (
    "tests/webapp/annotation/test_line.py",
    "tests/webapp/jobs/test_two_writers.py",
    "tests/webapp/tasks/test_lease.py::test_a_lease_is_safe_and_ends",
    "tests/webapp/videos/test_belonging.py::test_numbers_are_raised_and_never_lowered",
    "tests/webapp/live/test_actions.py::test_a_stroke_and_its_round_cost_few_statements",
    "tests/webapp/test_prepared.py::test_rows_are_locked_only_within_a_transaction",
    "tests/webapp/test_prepared.py::test_what_is_read_ahead_is_found_once_by_one_message_to_postgres",
)


@pytest.mark.team
def test_what_locks_rows_is_safe_on_postgres() -> None:
    if "MASKWRIGHT_TEST_DATABASE_URL" not in os.environ:
        pytest.skip("needs MASKWRIGHT_TEST_DATABASE_URL")
    options = ["-q", "--ds=tests.postgres_settings", "-p", "no:cacheprovider", "-p", "no:randomly"]
    command = [sys.executable, "-m", "pytest", *options, *TESTS]
    done = subprocess.run(command, cwd=settings.BASE_DIR, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stdout[-4000:]
    assert "skipped" not in done.stdout, done.stdout[-4000:]
