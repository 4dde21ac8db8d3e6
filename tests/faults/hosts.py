"""Faults of a team with workers on several hosts: clocks that differ, and a network that is cut or slow."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from tests.faults.one_machine import SLOW, Site
from tests.faults.relay import Relay
from tests.faults.services import OwnPostgres, OwnRedis, own_services
from tests.faults.table import Row, repeat
from tests.house.visitor import Visitor
from tests.studio import MANAGE, Studio, environment_of, until

HOUR = 3600


def faults(tries: int) -> Iterator[Row]:
    """Make each fault of several hosts, and yield a row for each."""
    with (
        own_services() as (redis, postgres),
        tempfile.TemporaryDirectory(prefix="maskwright-faults-") as folder,
        Studio(Path(folder), **SLOW, REDIS_URL=redis.url, DATABASE_URL=postgres.url) as studio,
        Visitor(studio) as owner,
        psycopg.connect(postgres.url, autocommit=True) as rows,
    ):
        hosts = Hosts(Site(studio, owner), Path(folder), redis, postgres, rows)
        yield repeat("the worker is killed; another host's clock is an hour ahead", tries, hosts.kill_beside(HOUR))
        yield repeat("the worker is killed; another host's clock is an hour behind", tries, hosts.kill_beside(-HOUR))
        yield repeat("a worker's network to Postgres is cut in a round", min(tries, 3), hosts.cut_off)
        yield repeat("Postgres answers a worker 20 ms late (slow storage)", min(tries, 3), hosts.slow_down)


class Hosts:
    """A site, and workers that stand for other hosts. `rows` is a connection to the database of the site."""

    def __init__(self, site: Site, home: Path, redis: OwnRedis, postgres: OwnPostgres, rows: Any) -> None:
        self._site, self._home, self._rows = site, home, rows
        self._redis, self._postgres = redis, postgres

    def kill_beside(self, ahead: float) -> Any:
        """Return a fault: the worker is killed in a round beside a worker whose clock is ahead by `ahead` seconds.

        With a negative `ahead` that clock is behind. The losses are wrong masks, and rounds that were taken from a
        worker that was alive.
        """

        def attempt(number: int) -> int:
            clock = {"MASKWRIGHT_ENGINES": "tests.faults.wrong_clock", "FAULTS_CLOCK_AHEAD": str(ahead)}
            with self._worker(self._postgres.url, **clock):
                undisturbed = self._site.round_while(lambda: None, after_masks=5)
                robbed = self._attempts() - 1
                return undisturbed + robbed + self._site.kill_worker(number)

        return attempt

    def cut_off(self, number: int) -> int:
        """Cut a worker off from the database in a round, which another worker then computes; then mend the network.

        Return how many masks differ when the round is done, and again when the worker is back, plus 1 unless the round
        was begun exactly twice.
        """
        with self._behind_relay() as (network, name):

            def cut() -> None:
                network.cut()
                self._drain(others_than=None)

            lost = self._site.round_while(cut, after_masks=5 + number)
            twice = self._attempts() == 2
            network.mend()
            until(lambda: self._is_alive(name), "the worker that was cut off", 60)
            return lost + self._site.differing() + (not twice)

    def slow_down(self, number: int) -> int:
        """Compute a round while every answer of the database is late. Return how many masks differ."""
        with self._behind_relay() as (network, _):
            network.delay = 0.01
            return self._site.round_while(lambda: None, after_masks=5 + number)

    @contextmanager
    def _behind_relay(self) -> Iterator[tuple[Relay, str]]:
        """Start a worker that reaches the database over a relay, and let it be the only one that begins rounds.

        Yields the relay and the name of the worker.
        """
        network = Relay(self._postgres.port)
        url = self._postgres.url.replace(f":{self._postgres.port}/", f":{network.port}/")
        try:
            with self._worker(url) as name:
                self._drain(others_than=name)
                yield network, name
        finally:
            network.close()
            self._drain(others_than=None)

    @contextmanager
    def _worker(self, database: str, **variables: str) -> Iterator[str]:
        """Start a worker for rounds, wait until it has announced itself, and yield its name. Kill it at the end."""
        command = [sys.executable, str(MANAGE), "worker", "--queue", "rounds", "--child"]
        environment = environment_of(
            self._home, **{**SLOW, "REDIS_URL": self._redis.url, "DATABASE_URL": database, **variables}
        )
        process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE)
        try:
            name: list[str] = []

            def announced() -> bool:
                found = self._one("SELECT name FROM inference_worker WHERE pid = %s", process.pid)
                name[:] = [found] if found else []
                return bool(name) and self._is_alive(name[0])

            until(announced, "another worker", 120)
            yield name[0]
        finally:
            process.kill()
            process.wait()
            self._rows.execute("DELETE FROM inference_worker WHERE pid = %s", [process.pid])

    def _drain(self, *, others_than: str | None) -> None:
        """Drain every worker but the named one. With None, no worker is drained any more."""
        drained = "FALSE" if others_than is None else "name <> %s"
        values = [] if others_than is None else [others_than]
        self._rows.execute(f"UPDATE inference_worker SET draining = ({drained})", values)

    def _is_alive(self, name: str) -> bool:
        alive = "SELECT 1 FROM inference_worker WHERE name = %s AND heartbeat > now() - interval '3 seconds'"
        return self._one(alive, name) is not None

    def _attempts(self) -> int:
        """Return how often workers have begun the newest round."""
        return int(self._one("SELECT attempts FROM annotation_round ORDER BY id DESC LIMIT 1"))

    def _one(self, query: str, *values: object) -> Any:
        row = self._rows.execute(query, values).fetchone()
        return None if row is None else row[0]
