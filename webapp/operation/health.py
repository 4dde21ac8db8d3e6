"""Whether this web process can serve people: the answers to load balancers and orchestrators."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from webapp.celery import app as celery
from webapp.inference import workers
from webapp.storage.files import storage
from webapp.videos.storage import free_bytes, min_free_bytes

RETRY_SECONDS = 5  # When whoever asks should ask again.
BROKER_SECONDS = 2.0  # A broker that does not answer in this time counts as unreachable.


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
    parts = {"database": _said(_database), "broker": _said(_broker), "storage": _said(_storage)}
    is_ready = set(parts.values()) == {"ok"}
    headers = {} if is_ready else {"Retry-After": str(RETRY_SECONDS)}
    return JsonResponse({**parts, "workers": _said(_workers)}, status=200 if is_ready else 503, headers=headers)


def _said(check: Callable[[], str]) -> str:
    """Return what a check says or, if it raises, that it failed. Details are left out, because anybody may ask."""
    try:
        return check()
    except DatabaseError:
        return "the database does not answer"
    except OSError:
        return "it does not answer or cannot be written"


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return "ok"


def _broker() -> str:
    """Ask Redis for an answer. In embedded mode the broker is a folder, which must be writable."""
    if not settings.TEAM_MODE:
        return _writable(Path(settings.CONFIG.broker_options["data_folder_in"]))
    with celery.connection_for_write() as link:
        try:
            link.ensure_connection(max_retries=1, timeout=BROKER_SECONDS)
        except Exception as error:  # each transport has error classes of its own
            raise OSError from error
    return "ok"


def _storage() -> str:
    storage().check()
    return "ok" if free_bytes() >= min_free_bytes() else "the disk is nearly full"


def _writable(folder: Path) -> str:
    probe = folder / f".ready-{os.getpid()}-{uuid.uuid4().hex[:8]}"
    probe.write_bytes(b"")
    probe.unlink()
    return "ok"


def _workers() -> str:
    return "ok" if workers.status().alive else "none computes rounds"
