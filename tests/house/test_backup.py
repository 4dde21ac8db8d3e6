"""Tests of the commands `backup`, `restore` and `fsck`, run as processes, in embedded and in team mode."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from tests.studio import MANAGE, environment_of


@contextmanager
def new_database() -> Iterator[dict[str, str]]:
    """Create an empty Postgres database, yield environment variables for team mode with it, and drop it at the end."""
    redis_url = os.environ.get("MASKWRIGHT_TEST_REDIS_URL")
    database_url = os.environ.get("MASKWRIGHT_TEST_DATABASE_URL")
    if not redis_url or not database_url:
        pytest.skip("no Redis and Postgres here: run it with .ci/with-services .venv/bin/pytest -m team")
    name = f"maskwright_{uuid4().hex[:8]}"
    with psycopg.connect(database_url, autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield {"REDIS_URL": redis_url, "DATABASE_URL": f"{database_url.rpartition('/')[0]}/{name}"}
        server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(params=["embedded", pytest.param("team", marks=pytest.mark.team)])
def sites(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[list[dict[str, str]]]:
    """Yield the environment variables of two empty installations, each with a data folder and a database of its own."""
    with ExitStack() as stack:
        team = request.param == "team"
        databases = [stack.enter_context(new_database()) if team else {} for _ in range(2)]
        yield [environment_of(tmp_path / str(index), **database) for index, database in enumerate(databases)]


def call(environment: dict[str, str], *words: str, code: int = 0) -> str:
    command = [sys.executable, str(MANAGE), *words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == code, f"{words}: {done.stdout} {done.stderr}"
    return done.stdout + done.stderr


def test_a_site_moves_by_a_backup(sites: list[dict[str, str]], tmp_path: Path) -> None:
    first, second = sites
    archive = str(tmp_path / "site.tar")
    call(first, "migrate", "--verbosity=0")
    call(first, "sign_in_link", "ada", "--create", "--superuser")
    assert "was written" in call(first, "backup", archive)
    assert "Restored the backup" in call(second, "restore", archive)
    assert "/sign-in/link/" in call(second, "sign_in_link", "ada")  # The user came with the backup.
    assert "Nothing is wrong" in call(second, "fsck")
    assert "not empty" in call(second, "restore", archive, code=2)
