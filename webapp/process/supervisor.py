"""Keeps child processes alive: a child that ends is started again, and no child outlives the supervisor.

Each child runs in an operating system's session of its own (setsid), so that Ctrl+C reaches the supervisor alone. Its
standard input is a pipe, by which it notices that the supervisor was killed (webapp/process/lifeline.py).
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

POLL_SECONDS = 0.1
STEADY_SECONDS = 10.0  # A child that ran this long is restarted at once.
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0  # Pause before restarting a child that dies early; it doubles each time.
STOP_SECONDS = 5.0  # between SIGTERM and SIGKILL


@dataclass(frozen=True)
class Program:
    """A program to run. `name` is used in messages."""

    name: str
    command: Sequence[str]
    keep_fds: Sequence[int] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None
    delay: float = 0.0  # seconds before its first start
    reloads: bool = True  # restarted by `Supervisor.restart`


class Child:
    """A program and its process, if it runs. `due` is the time at which it may be started next."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.process: subprocess.Popen[bytes] | None = None
        self.quick_ends = 0
        self.due = time.monotonic() + program.delay
        self._started = 0.0

    def start(self) -> None:
        self.process = subprocess.Popen(
            self.program.command,
            stdin=subprocess.PIPE,
            pass_fds=self.program.keep_fds,
            env={**os.environ, **self.program.environment},
            cwd=self.program.folder,
            start_new_session=True,
        )
        self._started = time.monotonic()

    def take_end(self) -> int | None:
        """Return the exit status of a process that ended since the last call (negative: the signal), else None."""
        if self.process is None or (status := self.process.poll()) is None:
            return None
        self._forget()
        now = time.monotonic()
        self.quick_ends = 0 if now - self._started >= STEADY_SECONDS else self.quick_ends + 1
        pause = min(FIRST_PAUSE * 2 ** (self.quick_ends - 1), LONGEST_PAUSE) if self.quick_ends else 0.0
        self.due = now + pause
        return status

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the process and its children."""
        if self.process is not None:
            try:
                os.killpg(self.process.pid, number)
            except ProcessLookupError:
                return  # It has just ended; `take_end` will notice.

    def wait(self, until: float) -> None:
        """Wait for the end of the process until the time `until`, then kill it."""
        if self.process is None:
            return
        try:
            self.process.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.send(signal.SIGKILL)
            self.process.wait()
        self._forget()

    def _forget(self) -> None:
        if self.process is not None and self.process.stdin is not None:
            self.process.stdin.close()
        self.process = None


class Supervisor:
    """Runs programs until `stop` is called. `say` gets the messages for the terminal."""

    def __init__(self, programs: Sequence[Program], say: Callable[[str], None]) -> None:
        self._children = [Child(program) for program in programs]
        self._say = say
        self._stop = threading.Event()
        self._restart = threading.Event()

    def stop(self) -> None:
        """End all children and return from `run`. Signal handlers and other threads may call it, repeatedly too."""
        self._stop.set()

    def restart(self) -> None:
        """Restart the children that have `reloads` set."""
        self._restart.set()

    def run(self) -> None:
        try:
            while not self._stop.wait(POLL_SECONDS):
                if self._restart.is_set():
                    self._restart.clear()
                    self._end([child for child in self._children if child.program.reloads])
                for child in self._children:
                    self._look_after(child)
        finally:
            self._end(self._children)

    def _look_after(self, child: Child) -> None:
        status = child.take_end()
        if status is not None:
            pause = max(0.0, child.due - time.monotonic())
            when = f"in {pause:.1f} s" if pause else "now"
            self._say(f"{child.program.name} {_ending(status)}; starting it again {when}.")
        if child.process is None and time.monotonic() >= child.due:
            child.start()

    def _end(self, children: Sequence[Child]) -> None:
        until = time.monotonic() + STOP_SECONDS
        for child in children:
            child.send(signal.SIGTERM)
        for child in children:
            child.wait(until)


def _ending(status: int) -> str:
    if status >= 0:
        return f"ended with status {status}"
    if status == -signal.SIGKILL:
        return "was killed (the system does that when memory runs out)"
    return f"was ended by {signal.Signals(-status).name}"
