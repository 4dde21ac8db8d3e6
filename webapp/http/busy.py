"""Answers 503 when the database cannot serve a request in time, so that the client tries again."""

from __future__ import annotations

from collections.abc import Awaitable

import structlog
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase

from webapp.http.middleware import ForBothKinds

log = structlog.get_logger(__name__)

RETRY_SECONDS = 2


class DatabaseBusy(ForBothKinds):
    """Turns an `OperationalError` of a view into 503 with `Retry-After`: no free connection, a lock, a lost server."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, OperationalError):
            return None
        log.warning("database_busy", path=request.path, error=str(exception))
        text = "The database is busy or away. Try again in a moment."
        return JsonResponse({"code": "busy", "text": text}, status=503, headers={"Retry-After": str(RETRY_SECONDS)})
