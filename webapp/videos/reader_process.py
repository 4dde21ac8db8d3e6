"""Runs a function that reads an untrusted file in a separate process with limits of memory and time.

A file of some kilobytes can make FFmpeg, Pillow, zlib or a parser take gigabytes or minutes. The process ends when it
reaches a limit or the work is cancelled, which frees its memory.
"""

from __future__ import annotations

import multiprocessing
import resource
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Protocol

from django.conf import settings

from webapp.configuration import Configuration
from webapp.videos.refusal import Refused

POLL_SECONDS = 0.25  # The time between two calls of `beat` while no message comes.
# The process is killed when it sends no message for this time. The slowest normal frame (8K) takes a few seconds.
SILENT_SECONDS = 60.0
EXIT_SECONDS = 5.0
# A server process forks the readers, which is safe because it has no threads. The readers start with the module that it
# has imported; they import the decoders themselves.
_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["webapp.videos.import_process"])


class Beat(Protocol):
    """Called with the number of frames done so far, or with None while there is no new one."""

    def __call__(self, done: int | None = None) -> None: ...


@dataclass(frozen=True)
class _Refusal:
    code: str
    text: str
    status: int
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class _Fault:
    """A message about an unexpected exception in the process. `errno` is that of an OSError, else 0."""

    errno: int
    traceback: str


class ReaderFault(Exception):
    """The program that reads files has a fault. The text is the traceback from its process."""


class Reader:
    """The connection to the separate process that decodes an uploaded file."""

    def __init__(self, connection: Connection, beat: Beat, memory_mb: int) -> None:
        self._connection = connection
        self._beat = beat
        self._memory_mb = memory_mb

    def send(self, message: object) -> None:
        self._connection.send(message)

    def receive(self) -> Any:
        """Wait for the next message of the process, and call `beat` while waiting.

        Raises Refused if the process refuses the file, sends nothing for too long, or dies. Raises OSError for an error
        of the system in the process, such as a full disk, ReaderFault for a fault of the program, and what `beat`
        raises.
        """
        deadline = time.monotonic() + SILENT_SECONDS
        while not self._connection.poll(POLL_SECONDS):
            self._beat()
            if time.monotonic() > deadline:
                raise Refused(
                    "too_slow",
                    f"A frame of this file takes more than {SILENT_SECONDS:.0f} seconds to read. "
                    "Convert the file first.",
                )
        try:
            message = self._connection.recv()
        except (
            EOFError,
            ConnectionResetError,
        ):  # The process died: a decoder crashed, or the system was out of memory.
            need = f"needs more than {self._memory_mb} MB of memory"
            text = f"The file ends the program that reads it: it is damaged, or {need}."
            raise Refused("unreadable", f"{text} Convert it first.") from None
        if isinstance(message, _Refusal):
            raise Refused(message.code, message.text, message.status, **message.extra)
        if isinstance(message, _Fault):
            raise OSError(message.errno, message.traceback) if message.errno else ReaderFault(message.traceback)
        return message


# What is run in the process: it gets the connection and the path of the file, and sends messages.
Work = Callable[[Connection, Path], None]


@contextmanager
def reading(work: Work, path: Path, beat: Beat, memory_mb: int | None = None) -> Iterator[Reader]:
    """Run `work`, a function of a module, on the file at `path` in a process. Leaving the block ends the process.

    `beat` is called four times a second while a message is awaited. `memory_mb` is the limit of the memory
    that the process allocates, in megabytes; None means MASKWRIGHT_IMPORT_MEMORY_MB.
    """
    limit = memory_mb or int(settings.CONFIG["MASKWRIGHT_IMPORT_MEMORY_MB"])
    ours, theirs = _context.Pipe()
    arguments = (theirs, work, path, settings.CONFIG, settings.HOME, limit)
    process = _context.Process(target=_run, args=arguments, daemon=True)
    process.start()
    theirs.close()
    try:
        yield Reader(ours, beat, limit)
    finally:
        ours.close()
        process.kill()
        process.join(EXIT_SECONDS)


# --- in the process -------------------------------------------------------------------------------------------------


def _run(
    connection: Connection, work: Work, path: Path, configuration: Configuration, home: Path, memory_mb: int
) -> None:
    settings.CONFIG, settings.HOME = configuration, home
    # The limit is of data, which is what the process itself allocates: libraries alone take 350 MB of address space.
    limit = memory_mb << 20
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    beside = _status("VmSize") - _status("VmData")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        work(connection, path)
    except (EOFError, BrokenPipeError):
        return  # The parent process closed the connection.
    except MemoryError:
        connection.send(_refusal(_too_much_memory(memory_mb)))
    except Refused as refusal:
        connection.send(_refusal(refusal))
    except Exception as error:
        # Libraries report that they got no memory by exceptions of many kinds, so the kind does not tell.
        if _status("VmPeak") - beside > 0.8 * limit:
            connection.send(_refusal(_too_much_memory(memory_mb)))
        else:
            connection.send(_Fault(getattr(error, "errno", None) or 0, traceback.format_exc()))


def _status(name: str) -> int:
    """Return a figure about the memory of this process in bytes, such as VmPeak (see proc(5)). It is 0 where the system
    is not Linux.
    """
    status = Path("/proc/self/status")
    if not status.exists():
        return 0
    line = next(line for line in status.read_text().splitlines() if line.startswith(f"{name}:"))
    return int(line.split()[1]) << 10


def _too_much_memory(limit: int) -> Refused:
    return Refused("too_much_memory", f"Reading this file takes more than {limit} MB of memory. Convert it first.", 413)


def _refusal(refused: Refused) -> _Refusal:
    return _Refusal(refused.code, refused.text, refused.status, dict(refused.extra))
