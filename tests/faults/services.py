"""A Redis and a Postgres of its own for `make bench-faults`, which stops, suspends and restarts them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import redis

from tests.studio import free_port, until


class OwnRedis:
    """A Redis server on a port of its own, whose data are gone when it is killed, as without a disk."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._port = folder, free_port()
        self.url = f"redis://127.0.0.1:{self._port}/0"
        self.start()

    def start(self) -> None:
        command = ["redis-server", "--bind", "127.0.0.1", "--port", str(self._port), "--dir", str(self._folder)]
        self._process = subprocess.Popen([*command, "--save", ""], stdout=subprocess.DEVNULL)
        until(self._answers, "a Redis that answers")

    def suspend(self) -> None:
        os.kill(self._process.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        os.kill(self._process.pid, signal.SIGCONT)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def _answers(self) -> bool:
        try:
            return bool(redis.Redis.from_url(self.url).ping())
        except redis.ConnectionError:
            return False


class OwnPostgres:
    """A Postgres server on a port of its own. `pg_ctl` refuses root, for whom it runs as the account postgres."""

    def __init__(self, folder: Path) -> None:
        self._data, self.port = folder / "postgres", free_port()
        self._tools = _postgres_tools()
        self.url = f"postgres://maskwright@127.0.0.1:{self.port}/postgres"
        self._data.mkdir()
        if os.geteuid() == 0:
            folder.chmod(0o755)
            shutil.chown(self._data, "postgres")
        self._run("initdb", "-D", str(self._data), "-U", "maskwright", "-A", "trust")
        self.start()

    def start(self) -> None:
        options = f"-c listen_addresses=127.0.0.1 -p {self.port} -k {self._data} -c fsync=off"
        log = str(self._data / "log")
        self._run("pg_ctl", "-D", str(self._data), "-w", "-l", log, "-o", options, "start")
        until(self._answers, "a Postgres that answers")

    def kill(self) -> None:
        """Stop the server as a crash does: every connection breaks at once."""
        self._run("pg_ctl", "-D", str(self._data), "-m", "immediate", "-w", "stop")

    def _run(self, tool: str, *arguments: str) -> None:
        account = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        command = [*account, str(self._tools / tool), *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


def available() -> bool:
    """Return whether Redis is installed here, and Postgres where Debian puts it."""
    return shutil.which("redis-server") is not None and any(Path("/usr/lib/postgresql").glob("*/bin/initdb"))


@contextmanager
def own_services() -> Iterator[tuple[OwnRedis, OwnPostgres]]:
    """Start both servers, and stop them at the end."""
    with tempfile.TemporaryDirectory(prefix="maskwright-services-") as folder:
        postgres = OwnPostgres(Path(folder))
        server = OwnRedis(Path(folder))
        try:
            yield server, postgres
        finally:
            server.go_on()
            server.kill()
            postgres.kill()


def _postgres_tools() -> Path:
    return max(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3])).parent
