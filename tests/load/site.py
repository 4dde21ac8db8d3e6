"""The web processes of a site under load, and what its database has stored."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import UUID

import httpx
import psutil
import psycopg

from tests.studio import MANAGE, Studio, environment_of, free_port, until


class WebProcesses:
    """The web process of a studio and, on other ports, further ones of the same site until there are `count`.

    `addresses` are their URLs, and `processes` the processes in the same order. `variables` are those of the studio.
    """

    def __init__(self, studio: Studio, count: int, variables: Mapping[str, str]) -> None:
        self.addresses, self.processes = [studio.address], [studio.children()["web"]]
        self._home, self._count, self._variables = studio.home, count, variables
        self._started: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        for _ in range(self._count - 1):
            port = free_port()
            environment = environment_of(self._home, **{**self._variables, "MASKWRIGHT_PORT": str(port)})
            started = subprocess.Popen([sys.executable, str(MANAGE), "web"], env=environment)
            self._started.append(started)
            self.addresses.append(f"http://127.0.0.1:{port}")
            self.processes.append(psutil.Process(started.pid))
        for address in self.addresses:
            until(lambda address=address: _answers(address), f"a web process at {address}", 120)  # type: ignore[misc]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for started in self._started:
            started.terminate()
        for started in self._started:
            started.wait()

    def processor_seconds(self) -> float:
        """Return the processor time that all web processes have used."""
        times = [process.cpu_times() for process in self.processes]
        return float(sum(time.user + time.system for time in times))


class Rows:
    """Reads the database of a site: Postgres at `url`, or with None the file in the data folder `home`."""

    STROKES = "SELECT key FROM annotation_scribble"
    ENDS = {
        "sqlite": "SELECT id, (julianday(finished_at) - 2440587.5) * 86400 FROM annotation_round",
        "postgres": "SELECT id, extract(epoch FROM finished_at) FROM annotation_round",
    }

    def __init__(self, home: Path, url: str | None) -> None:
        self._home, self._url = home, url

    def strokes(self) -> set[str]:
        """Return the keys of all scribbles."""
        return {str(UUID(str(key))) for (key,) in self._read(self.STROKES)}

    def ends_of_rounds(self) -> list[tuple[int, float]]:
        """Return the ids of the rounds that have ended, with the times (as of `time.time`) at which they did."""
        query = self.ENDS["postgres" if self._url else "sqlite"]
        return [(number, float(at)) for number, at in self._read(f"{query} WHERE finished_at IS NOT NULL")]

    def _read(self, query: str) -> list[Any]:
        if self._url is None:
            with closing(sqlite3.connect(self._home / "maskwright.sqlite3")) as rows:
                return rows.execute(query).fetchall()
        with psycopg.connect(self._url) as connection:
            return connection.execute(query).fetchall()


def _answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/healthz", timeout=2).status_code == 200
    except httpx.TransportError:
        return False
