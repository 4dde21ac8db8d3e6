"""Starts `manage.py serve` as a separate process with its own data folder, for tests of the whole system."""

from __future__ import annotations

import atexit
import functools
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import PIPE
from types import TracebackType
from typing import Self

import psutil

from webapp.configuration import VARIABLES
from webapp.process.listening import listen

MANAGE = Path(__file__).resolve().parent.parent / "manage.py"
FIRST_RUN = """
import django
django.setup()
from webapp import first_run
from webapp.operation.upgrade import migrate
migrate(print)
first_run.make_sample(first_run.make_owner(), print)
"""
START_SECONDS = 240.0  # The first start renders the sample video, and other tests may run at the same time.


def until(true: Callable[[], bool], what: str, seconds: float = 30.0) -> None:
    """Wait until `true()` returns true. Raise AssertionError, with `what` in its message, after `seconds`."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"{what} did not come true within {seconds} s"
        time.sleep(0.02)


def stop_on_sigterm() -> None:
    """Let this program end on SIGTERM as on Ctrl+C, so that it stops the servers that it has started."""
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))


def free_port() -> int:
    with listen("127.0.0.1", 0, may_move=False) as bound:
        return int(bound.getsockname()[1])


def environment_of(home: Path, **variables: str) -> dict[str, str]:
    """Return environment variables for a process with the data folder `home` and the settings `variables`.

    Settings of Maskwright in the shell's environment are left out. MASKWRIGHT_WARM_UP is 0: workers do not load the
    default engine when they start, because most tests use a small engine of the tests.
    """
    ours = {variable.name for variable in VARIABLES}
    inherited = {name: value for name, value in os.environ.items() if name not in ours}
    own = {"MASKWRIGHT_HOME": str(home), "MASKWRIGHT_WARM_UP": "0", "DJANGO_SETTINGS_MODULE": "webapp.settings"}
    return {**inherited, **own, **variables}


@functools.cache
def used_home() -> Path:
    """Return a data folder as the first start of `manage.py serve` leaves it: with the owner and the sample project.

    It is made once in a process, because rendering the sample video takes long.
    """
    home = Path(tempfile.mkdtemp(prefix="maskwright-used-home-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    subprocess.run([sys.executable, "-c", FIRST_RUN], env=environment_of(home), cwd=MANAGE.parent, check=True)
    return home


class Studio:
    """Context manager that runs `manage.py serve`, which starts the web process and the workers, in a separate process.

    `address` is the URL of the server, and `link` the sign-in link that it printed, or None if it printed none. A
    `home` that is empty or does not exist becomes a copy of `used_home()`, except with `--no-sample` or DATABASE_URL.
    """

    def __init__(self, home: Path, *arguments: str, **variables: str) -> None:
        self.home = home
        self.address = f"http://127.0.0.1:{free_port()}"
        self.link: str | None = None
        self.output: list[str] = []
        self._environment = environment_of(home, **{"MASKWRIGHT_PORT": self.address.rpartition(":")[2], **variables})
        self._arguments = arguments
        self._links: subprocess.Popen[str] | None = None
        self._printed_link: str | None = None  # `link` until `sign_in_link` has returned it

    def __enter__(self) -> Self:
        unused = not self.home.is_dir() or not any(self.home.iterdir())
        if unused and "--no-sample" not in self._arguments and "DATABASE_URL" not in self._environment:
            shutil.copytree(used_home(), self.home, dirs_exist_ok=True)
        self.process = subprocess.Popen(
            [sys.executable, str(MANAGE), "serve", *self._arguments],
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
        self.link = self._printed_link = found.group(1) if found else None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._links is not None:
            self._links.communicate(timeout=20)
            self._links = None
        children = self.children()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        self.process.wait(20)
        until(lambda: not any(child.is_running() for child in children.values()), "the end of every child", 10)
        self._reader.join(10)

    def manage(self, *arguments: str) -> str:
        """Run a manage.py command on the data folder of this server and return what the command printed."""
        command = [sys.executable, str(MANAGE), *arguments]
        return subprocess.run(command, env=self._environment, capture_output=True, text=True, check=True).stdout

    def sign_in_link(self, username: str = "owner") -> str:
        """Return a sign-in link that was not used, for the user called `username`, who is created if there is none."""
        if username == "owner" and self._printed_link is not None:
            link, self._printed_link = self._printed_link, None
            return link
        if self._links is None:
            command = [sys.executable, "-m", "tests.sign_in_links"]
            self._links = subprocess.Popen(
                command, env=self._environment, cwd=MANAGE.parent, stdin=PIPE, stdout=PIPE, text=True
            )
        assert self._links.stdin is not None
        assert self._links.stdout is not None
        print(username, file=self._links.stdin, flush=True)
        link = self._links.stdout.readline().strip()
        assert link, f"no sign-in link was made for {username}"
        return link

    @property
    def text(self) -> str:
        """What `manage.py serve` has printed so far."""
        return "".join(self.output)

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.output.append(line)

    def children(self) -> dict[str, psutil.Process]:
        """Return the child processes that run, by name: "web" (web process), "rounds" and "media" (workers)."""
        if self.process.poll() is not None:
            return {}
        found: dict[str, psutil.Process] = {}
        for child in psutil.Process(self.process.pid).children():
            try:
                words = child.cmdline()
            except psutil.NoSuchProcess:  # The process was killed and has not been reaped yet.
                continue
            for name in ("web", "rounds", "media"):
                if name in words:
                    found[name] = child
        return found
