"""Checks of this machine for `manage.py doctor`. Each check yields findings, which say what to do about a problem."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from typing import Literal

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models.functions import Now

from webapp.celery import app as celery
from webapp.inference import runner
from webapp.inference.workers import alive_workers
from webapp.installation import COMMAND, IN_CLONE
from webapp.operation.upgrade import pending_migrations
from webapp.process.home_lock import HomeLock
from webapp.storage.failure import WrongFiles
from webapp.storage.files import storage
from webapp.videos.belonging import refuse_wrong_files
from webapp.videos.storage import free_bytes, min_free_bytes

State = Literal["ok", "note", "wrong"]
PACKAGES = ("django", "celery", "channels", "torch", "openvino", "numpy", "opencv-python", "av")
OLDEST_NODE = 20


@dataclass(frozen=True)
class Finding:
    """The result of a check. `remedy` says what to do, and is empty if nothing can be done or needs to be."""

    topic: str
    state: State
    text: str
    remedy: str = ""


def examine() -> Iterator[Finding]:
    """Yield all findings, those of quick checks first."""
    for look in (versions, node, page, data_folder, files, disk, database, broker, studio, device, engines):
        yield from look()


def versions() -> Iterator[Finding]:
    python = ".".join(map(str, sys.version_info[:3]))
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    yield Finding("Versions", "ok", f"Maskwright {version('maskwright')}, Python {python}, {packages}")


def node() -> Iterator[Finding]:
    """Check for Node, which only building the page needs. A wheel holds the page."""
    if not IN_CLONE:
        return
    if shutil.which("node") is None:
        yield Finding("Node", "note", "not found", "Install Node 20.19 or newer to build the page.")
        return
    found = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False).stdout.strip()
    major = found.removeprefix("v").partition(".")[0]
    if major.isdigit() and int(major) >= OLDEST_NODE:
        yield Finding("Node", "ok", found)
    else:
        yield Finding("Node", "note", found or "does not run", "Install Node 20.19 or newer to build the page.")


def page() -> Iterator[Finding]:
    if (settings.FRONTEND_DIST / "index.html").is_file():
        yield Finding("Page", "ok", "built")
    elif IN_CLONE:
        yield Finding("Page", "wrong", "not built", "Run `make setup`, or `npm ci && npm run build` in frontend/.")
    else:
        yield Finding("Page", "wrong", "missing", "Install the wheel again: pip install --force-reinstall maskwright.")


def data_folder() -> Iterator[Finding]:
    probe = settings.HOME / ".doctor"
    try:
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        yield Finding(
            "Data folder",
            "wrong",
            f"{settings.HOME}: {error.strerror}",
            "Give the user who runs this the right to write there, or set MASKWRIGHT_HOME to another folder.",
        )
    else:
        yield Finding("Data folder", "ok", str(settings.HOME))


def files() -> Iterator[Finding]:
    """Check the bucket of STORAGE_URL, if there is one, by writing, reading and removing a file."""
    bucket = settings.CONFIG["STORAGE_URL"]
    if bucket is None:
        return
    where = f"{bucket.bucket} at {bucket.endpoint}"
    try:
        storage().check()
    except OSError as error:
        remedy = "Correct STORAGE_URL, or let its key read, write, list and remove files of the bucket."
        yield Finding("Bucket", "wrong", f"{where}: {error}", remedy)
    else:
        yield Finding("Bucket", "ok", where)


def disk() -> Iterator[Finding]:
    free, least = free_bytes(), min_free_bytes()
    text = f"{free / 2**30:.1f} GB free"
    if free < least:
        yield Finding(
            "Disk", "wrong", text, f"Imports stop below {least >> 20} MB (MASKWRIGHT_MIN_FREE_MB): free some."
        )
    elif free < 4 * least:
        yield Finding("Disk", "note", text, f"Imports will stop below {least >> 20} MB.")
    else:
        yield Finding("Disk", "ok", text)


def database() -> Iterator[Finding]:
    kind = "Postgres" if settings.TEAM_MODE else "SQLite"
    try:
        pending = pending_migrations()
    except DatabaseError as error:
        first = str(error).strip().splitlines()[0]
        remedy = "Start the server that DATABASE_URL names, or correct the address." if settings.TEAM_MODE else ""
        yield Finding("Database", "wrong", f"{kind}: {first}", remedy or "Is the disk full, or the file damaged?")
        return
    if pending and not connection.introspection.table_names():
        yield Finding(
            "Database", "note", f"{kind}, has no tables yet", f"`{COMMAND} migrate` makes them; so does serve."
        )
        return
    if pending:
        yield Finding("Database", "note", f"{kind}, {len(pending)} changes behind", f"Run `{COMMAND} migrate`.")
        return
    yield Finding("Database", "ok", f"{kind} {_database_version()}")
    yield from _belonging()


def _belonging() -> Iterator[Finding]:
    """Check that the stored files belong to the database."""
    try:
        refuse_wrong_files()
    except WrongFiles as problem:
        yield Finding("Stored files", "wrong", problem.said, problem.remedy)
    except OSError:
        return  # What is wrong with the storage is found by other checks.


def _database_version() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version" if settings.TEAM_MODE else "SELECT sqlite_version()")
        return str(cursor.fetchone()[0])


def broker() -> Iterator[Finding]:
    if not settings.TEAM_MODE:
        waiting = len(list((settings.HOME / "queue" / "messages").glob("*")))
        yield Finding("Broker", "ok", f"files in the data folder, {waiting} waiting")
        return
    try:
        with celery.connection_for_write() as link:
            link.ensure_connection(max_retries=1, timeout=3)
    except Exception as error:  # each transport has error classes of its own
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        yield Finding("Broker", "wrong", first, "Start the Redis that REDIS_URL names, or correct the address.")
    else:
        yield Finding("Broker", "ok", "Redis answers")


def studio() -> Iterator[Finding]:
    holder = HomeLock(settings.HOME, "studio").holder()
    if holder is not None:
        yield Finding("Studio", "ok", f"runs at {holder.address} (process {holder.pid})")
    elif not settings.TEAM_MODE:
        yield Finding(
            "Studio", "note", "does not run", f"Start it with `{'make run' if IN_CLONE else 'maskwright serve'}`."
        )
    try:
        yield from _workers(expected=holder is not None or settings.TEAM_MODE)
    except DatabaseError:
        yield Finding("Worker", "note", "cannot be told without the database")


def _workers(*, expected: bool) -> Iterator[Finding]:
    alive = alive_workers().annotate(now=Now())
    for worker in alive:
        age = (worker.now - worker.heartbeat).total_seconds()
        yield Finding("Worker", "ok", f"{worker.name} computes on {worker.device}, heartbeat {age:.1f} s ago")
    if not alive and expected:
        yield Finding(
            "Worker",
            "wrong",
            "none has given a sign of life in the last seconds, so rounds wait",
            f"Start one with `{COMMAND} worker`; where a studio runs, its terminal says why its own keeps ending.",
        )


def device() -> Iterator[Finding]:
    try:
        yield Finding("Device", "ok", f"engines compute on {runner.tried_device()}")
    except ValueError as error:
        yield Finding("Device", "wrong", str(error), "Set MASKWRIGHT_DEVICE to auto or cpu, or install a GPU's driver.")


def engines() -> Iterator[Finding]:
    for engine in runner.engines():
        name = f"Engine {engine.name}" + (" (default)" if engine.default else "")
        if engine.ready:
            weights = f"weights {engine.weights}" if engine.weights else "needs no weights"
            yield Finding(name, "ok", f"ready, {weights}")
        else:
            yield Finding(name, "wrong" if engine.default else "note", "has no weights", engine.hint)
