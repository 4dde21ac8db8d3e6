"""Answers load balancers and orchestrators that ask whether this web process can serve people.

Anybody may ask, as often as they like. So nothing is written for an answer, each part of the site is checked by one
thread at a time, and the result is kept for some seconds.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from webapp.celery import app as celery
from webapp.inference import workers
from webapp.storage.failure import StorageAway
from webapp.storage.files import storage, uncompared_storage
from webapp.storage.late_comparison import late_comparison
from webapp.videos.storage import free_bytes, min_free_bytes

RETRY_SECONDS = 5  # When whoever asks should ask again.
BROKER_SECONDS = 2.0  # A broker that does not answer in this time counts as unreachable.
KEPT_SECONDS = 5.0  # How long an answer of a part counts.
PATIENCE_SECONDS = 3.0  # A part that has said nothing for so long does not answer.
SILENT = "it does not answer"
NO_THREAD = "the process cannot start a thread to ask it"


@require_safe
@never_cache
def alive(request: HttpRequest) -> HttpResponse:
    """Answer 200 while the process serves requests.

    Nothing else is checked, so that an orchestrator does not restart the process when the database is lost.
    """
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
@never_cache
def ready(request: HttpRequest) -> HttpResponse:
    """Answer 200 if database, broker and storage can be used, else 503. The JSON body has "ok" or a reason for each.

    The body also has `workers`, which does not affect the status: people can draw while no worker runs.
    """
    parts = {name: part.said() for name, part in PARTS.items()}
    is_ready = set(parts.values()) == {"ok"}
    headers = {} if is_ready else {"Retry-After": str(RETRY_SECONDS)}
    parts["workers"] = WORKERS.said() if parts["database"] == "ok" else "unknown"
    return JsonResponse(parts, status=200 if is_ready else 503, headers=headers)


def _said(check: Callable[[], str]) -> str:
    """Return what a check says or, if it raises, that it failed. Details are left out, because anybody may ask."""
    try:
        return check()
    except DatabaseError:
        return "the database does not answer"
    except OSError:
        return "it does not answer or cannot be written"


class Part:
    """A part of the site whose check may hang, so a thread runs it. Callers wait PATIENCE_SECONDS for it at most."""

    def __init__(self, check: Callable[[], str]) -> None:
        self._check = check
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._asked_at = self._said_at = float("-inf")
        self._answer = SILENT

    def said(self) -> str:
        """Return "ok" or what is wrong: the result of a check in the last KEPT_SECONDS, or else of a new one."""
        with self._lock:
            if self._thread is None and time.monotonic() - self._said_at < KEPT_SECONDS:
                return self._answer
            if self._thread is None:
                thread = threading.Thread(target=self._ask, name="ready", daemon=True)
                try:
                    thread.start()
                except RuntimeError:  # The system has no more threads. The next caller tries again.
                    return NO_THREAD
                self._thread, self._asked_at = thread, time.monotonic()
            thread, until = self._thread, self._asked_at + PATIENCE_SECONDS
        thread.join(max(0.0, until - time.monotonic()))
        return SILENT if thread.is_alive() else self._answer

    def _ask(self) -> None:
        answer = SILENT
        try:
            answer = _said(self._check)
            connection.close()
        finally:
            with self._lock:
                self._answer, self._said_at, self._thread = answer, time.monotonic(), None


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return "ok"


def _broker() -> str:
    """Check that Redis answers or, in embedded mode, that the folder that is the broker can be written. Return "ok" or
    what is wrong. Raises OSError if Redis does not answer.
    """
    if not settings.TEAM_MODE:
        folder = Path(settings.CONFIG.broker_options["data_folder_in"])
        return "ok" if folder.is_dir() and os.access(folder, os.R_OK | os.W_OK | os.X_OK) else "it cannot be written"
    with celery.connection_for_write() as link:
        try:
            link.ensure_connection(max_retries=1, timeout=BROKER_SECONDS)
        except Exception as error:  # each transport has error classes of its own
            raise OSError from error
    return "ok"


def _storage() -> str:
    uncompared_storage().look()  # A comparison might write the id of the site.
    if late_comparison.is_refused:
        try:
            storage()
        except StorageAway:
            return "its files belong to another database; the log says what to do"
    return "ok" if free_bytes() >= min_free_bytes() else "the disk is nearly full"


def _workers() -> str:
    return "ok" if workers.status().alive else "none computes rounds"


PARTS = {name: Part(check) for name, check in (("database", _database), ("broker", _broker), ("storage", _storage))}
WORKERS = Part(_workers)
