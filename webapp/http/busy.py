"""Answers 503 when the database or the storage cannot serve a request in time, so that the client tries again."""

from __future__ import annotations

from collections.abc import Awaitable

import structlog
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase

from webapp.http.middleware import ForBothKinds
from webapp.storage.failure import StorageAway

log = structlog.get_logger(__name__)

RETRY_SECONDS = 2


class DatabaseBusy(ForBothKinds):
    """Turns an error of the database or the storage in a view into 503 with `Retry-After`.

    Such errors are: no free connection, a lock, a lost server.
    """

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, (OperationalError, StorageAway)):
            return None
        what = "database" if isinstance(exception, OperationalError) else "storage"
        log.warning(f"{what}_busy", path=request.path, error=str(exception))
        text = f"The {what} is busy or away. Try again in a moment."
        return JsonResponse({"code": "busy", "text": text}, status=503, headers={"Retry-After": str(RETRY_SECONDS)})
