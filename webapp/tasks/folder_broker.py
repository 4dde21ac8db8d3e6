"""The message broker of embedded mode, a folder: kombu's filesystem transport without its races.

Those races lose messages and crash workers: kombu writes a message directly under its final name, so a reader may take
a file that is only half written. It also empties the table of an exchange before it rewrites it. Here a file gets its
final name when it is complete. A message that cannot be parsed is moved to another folder and logged, so that it does
not end one worker after the other.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable
from pathlib import Path
from queue import Empty
from time import monotonic, monotonic_ns
from typing import Any

import structlog
from kombu.exceptions import ChannelError
from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.utils.json import dumps, loads

from webapp.tasks.bell import Bell, ring

log = structlog.get_logger(__name__)

SCHEME = "folder"


class BrokenMessage(ValueError):
    """A message lacks something that a worker needs. The text says what."""


class Channel(filesystem.Channel):
    """A channel of kombu whose queues and exchanges are files.

    The transport option `broken_folder` is the folder to which messages that cannot be read are moved.
    """

    def _put(self, queue: str, payload: dict[str, Any], **kwargs: Any) -> None:  # type: ignore[override]
        name = f"{monotonic_ns() // 1_000_000}_{uuid.uuid4()}.{queue}.msg"
        _write(Path(self.data_folder_out) / name, dumps(payload))
        ring(Path(self.control_folder))

    def _get(self, queue: str, timeout: float | None = None) -> dict[str, Any]:
        folder = Path(self.data_folder_in)
        for name in sorted(os.listdir(folder)):
            if name.partition(".")[2] != f"{queue}.msg":
                continue
            # Taking a message means renaming it to a name that belongs to no queue, so only one of several readers
            # succeeds.
            taken = folder / f"taken-{os.getpid()}-{name}.json"
            try:
                (folder / name).rename(taken)
            except FileNotFoundError:
                continue
            try:
                payload = self._understood(taken.read_bytes())
            except Exception as error:
                self._put_aside(taken, name, error)
                continue
            taken.unlink()
            return payload
        raise Empty

    def _understood(self, data: bytes) -> dict[str, Any]:
        """Parse a message in the same way as a worker does, and return it.

        For a message that a worker could not parse, it raises exceptions of many kinds.
        """
        payload = loads(data.decode())
        message = self.Message(payload, channel=self)
        if "task" in message.headers:
            for header in ("id", "task"):
                if not isinstance(message.headers.get(header), str):
                    raise BrokenMessage(f"The header {header!r} of a task must be a text.")
        arguments = message.decode()
        if "task" in message.headers and not (isinstance(arguments, list) and len(arguments) == 3):
            raise BrokenMessage("The body of a task must be a list of arguments, named arguments and options.")
        return dict(payload)

    def _put_aside(self, taken: Path, name: str, error: Exception) -> None:
        broken = Path(self.transport_options["broken_folder"])
        broken.mkdir(parents=True, exist_ok=True)
        taken.rename(broken / name)
        log.error("broken_message", file=str(broken / name), error=repr(error))

    # --- exchanges ----------------------------------------------------------------------------------------------------

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str, queue: str) -> None:
        bound = filesystem.exchange_queue_t(routing_key or "", pattern or "", queue or "")
        with self._lock_of(exchange):
            table = self.get_table(exchange)
            if bound not in table:
                _write(self._exchange_file(exchange), dumps([bound, *table]))

    def _delete(self, queue: str, exchange: str, routing_key: str, pattern: str, *args: Any, **kwargs: Any) -> None:
        super(filesystem.Channel, self)._delete(queue, exchange, routing_key, pattern, *args, **kwargs)
        bound = filesystem.exchange_queue_t(routing_key or "", pattern or "", queue or "")
        with self._lock_of(exchange):
            table = self.get_table(exchange)
            if bound in table:
                table.remove(bound)
                _write(self._exchange_file(exchange), dumps(table))

    def get_table(self, exchange: str) -> list[filesystem.exchange_queue_t]:
        """Return the bindings of an exchange: the routing key, pattern and queue of each."""
        try:
            rows: Iterable[Any] = loads(self._exchange_file(exchange).read_text())
        except FileNotFoundError:
            return []
        except ValueError as error:  # kombu was stopped while writing. Workers bind their queues again when they start.
            log.error("broken_exchange", file=str(self._exchange_file(exchange)), error=repr(error))
            return []
        except OSError as error:
            raise ChannelError(f"Cannot read {self._exchange_file(exchange)}") from error
        return [filesystem.exchange_queue_t(*row) for row in rows]

    def _lock_of(self, exchange: str) -> _FileLock:
        self.control_folder.mkdir(parents=True, exist_ok=True)
        return _FileLock(self._exchange_file(exchange).with_suffix(".lock"))


class Transport(filesystem.Transport):
    """The filesystem transport of kombu, with the `Channel` of this module and a bell instead of frequent polls."""

    Channel = Channel
    client: Any
    cycle: Any
    _bell: Bell | None = None

    def drain_events(self, connection: Any, timeout: float | None = None, **_: Any) -> None:
        """Deliver the next message of this connection. Raises TimeoutError if none comes within `timeout` seconds."""
        if self._bell is None:
            self._bell = Bell(Path(self.client.transport_options["control_folder"]))
        end = None if timeout is None else monotonic() + timeout
        while True:
            try:
                self.cycle.get(self._deliver, timeout=timeout)
            except Empty:
                left = self.polling_interval if end is None else end - monotonic()
                if left <= 0:
                    raise TimeoutError from None
                self._bell.wait(min(left, self.polling_interval))
            else:
                return

    def close_connection(self, connection: Any) -> None:
        if self._bell is not None:
            self._bell.close()
            self._bell = None
        super().close_connection(connection)


class _FileLock:
    """An exclusive lock between processes, on a file that is never replaced."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        self._file = self._path.open("w")
        filesystem.lock(self._file, filesystem.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        self._file.close()


def _write(path: Path, text: str) -> None:
    """Write a file under another name and then rename it, so that no reader sees a part of it."""
    unfinished = path.with_name(f"unfinished-{uuid.uuid4()}")
    unfinished.write_text(text)
    unfinished.rename(path)


TRANSPORT_ALIASES[SCHEME] = f"{__name__}:Transport"
