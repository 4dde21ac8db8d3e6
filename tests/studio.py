"""A whole studio for tests: `manage.py studio` in a process of its own, over a data folder of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from webapp.configuration import VARIABLES
from webapp.process.listening import listen

MANAGE = Path(__file__).resolve().parent.parent / "manage.py"
START_SECONDS = 120.0  # generous: the first run renders a clip, and tests share their machine


def until(true: Callable[[], bool], what: str, seconds: float = 30.0) -> None:
    """Wait for something to come true; an AssertionError names it when it does not."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"{what} did not come true within {seconds} s"
        time.sleep(0.02)


def free_port() -> int:
    with listen("127.0.0.1", 0, may_move=False) as bound:
        return int(bound.getsockname()[1])


def environment_of(home: Path, **variables: str) -> dict[str, str]:
    """The shell's environment without any of our settings but these. Workers load engines when they are asked: most
    tests have a small one of their own."""
    ours = {variable.name for variable in VARIABLES}
    inherited = {name: value for name, value in os.environ.items() if name not in ours}
    own = {"MASKWRIGHT_HOME": str(home), "MASKWRIGHT_WARM_UP": "0", "DJANGO_SETTINGS_MODULE": "webapp.settings"}
    return {**inherited, **own, **variables}


class Studio:
    """`with Studio(home) as studio:` runs one until the block ends. `address` and `link` are what it printed."""

    def __init__(self, home: Path, *arguments: str, **variables: str) -> None:
        self.home = home
        self.address = f"http://127.0.0.1:{free_port()}"
        self.link: str | None = None
        self.output: list[str] = []
        self._environment = environment_of(home, **{"MASKWRIGHT_PORT": self.address.rpartition(":")[2], **variables})
        self._arguments = arguments

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(
            [sys.executable, str(MANAGE), "studio", *self._arguments],
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        until(lambda: "Ctrl+C stops it" in self.text or self.process.poll() is not None, "the start", START_SECONDS)
        assert self.process.poll() is None, self.text
        found = re.search(r"(http://\S+/sign-in/link/\S+)", self.text)
        self.link = found.group(1) if found else None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        children = self.children()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        self.process.wait(20)
        until(lambda: not any(child.is_running() for child in children.values()), "the end of every child", 10)
        self._reader.join(10)

    def manage(self, *arguments: str) -> str:
        """Run a manage.py command over this studio's data; what it printed."""
        command = [sys.executable, str(MANAGE), *arguments]
        return subprocess.run(command, env=self._environment, capture_output=True, text=True, check=True).stdout

    def sign_in_link(self, username: str = "owner") -> str:
        """A fresh one-time link for a user, who is made where there is none."""
        return self.manage("sign_in_link", username, "--create").strip()

    @property
    def text(self) -> str:
        """All that it has printed so far."""
        return "".join(self.output)

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.output.append(line)

    def children(self) -> dict[str, psutil.Process]:
        """Its processes by what they do: web, rounds, media."""
        if self.process.poll() is not None:
            return {}
        found: dict[str, psutil.Process] = {}
        for child in psutil.Process(self.process.pid).children():
            try:
                words = child.cmdline()
            except psutil.NoSuchProcess:  # it was killed, and is not reaped yet
                continue
            for name in ("web", "rounds", "media"):
                if name in words:
                    found[name] = child
        return found
