"""Measure how soon the web process first answers, how much memory it needs, and whether it has loaded PyTorch."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil

from tests.latency.figures import Figure
from tests.studio import MANAGE, environment_of
from webapp.process.listening import address_of, listen

REQUESTS = 200


def measure(home: Path) -> Iterator[Figure]:
    """Start `manage.py web` on the data folder `home` (with a database), send requests to it, and yield the figures."""
    with listen("127.0.0.1", 0, may_move=False) as bound:
        address, fd = address_of(bound, "127.0.0.1"), bound.fileno()
        started = time.monotonic()
        command = [sys.executable, str(MANAGE), "web", "--fd", str(fd)]
        server = subprocess.Popen(command, env=environment_of(home), pass_fds=[fd])
    try:
        _ask(address)
        yield Figure("Web process: from its start to its first answer", time.monotonic() - started, "s", 2)
        process = psutil.Process(server.pid)
        spent = process.cpu_times()
        yield Figure("Web process: processor time of that", spent.user + spent.system, "s")
        for _ in range(REQUESTS):
            _ask(address)
        yield Figure(f"Web process: memory after {REQUESTS} calls", process.memory_info().rss / 2**20, "MB", 200)
        torch = [row.path for row in process.memory_maps() if "libtorch" in row.path]
        yield Figure("Web process: libraries of PyTorch in it", len(torch), "", 0)
    finally:
        server.terminate()
        server.wait(15)


def _ask(address: str) -> None:
    try:
        urllib.request.urlopen(f"{address}/api/me", timeout=30).close()
    except urllib.error.HTTPError as error:
        if error.code != 401:  # 401 is expected, since nobody is signed in
            raise
