"""Gives each request an id, which is in every log line that the request causes and in the header of its answer."""

from __future__ import annotations

import re
import uuid
from collections.abc import Awaitable

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from structlog.contextvars import bound_contextvars

from webapp.http.middleware import ForBothKinds

HEADER = "X-Request-ID"
SECRET = re.compile(r"^(/sign-in/link/|/invitation/).+")
ACCEPTABLE = re.compile(r"[\w.:-]{1,80}", re.ASCII)


class RequestId(ForBothKinds):
    """Takes the id from the header X-Request-ID, which a proxy may have set, or makes a new one."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self.later:
            return self._later(request)
        request_id = _id_of(request)
        with bound_contextvars(**_note(request, request_id)):
            response = self.get_response(request)
        assert isinstance(response, HttpResponseBase)
        response.headers[HEADER] = request_id
        return response

    async def _later(self, request: HttpRequest) -> HttpResponseBase:
        request_id = _id_of(request)
        with bound_contextvars(**_note(request, request_id)):
            answer = self.get_response(request)
            assert not isinstance(answer, HttpResponseBase)
            response = await answer
        response.headers[HEADER] = request_id
        return response


def _note(request: HttpRequest, request_id: str) -> dict[str, str]:
    """Return what the lines of a request have. Django logs an answer of an error after all middleware has ended, so the
    request keeps it for that line (webapp/logs.py).
    """
    found = {"request": request_id, "path": _shown(request.path)}
    request.log_values = found  # type: ignore[attr-defined]
    return found


def _shown(path: str) -> str:
    """Return a path for the log: the secrets of links for sign-in and of invitations are left out."""
    return SECRET.sub(r"\1...", path)


def _id_of(request: HttpRequest) -> str:
    given = request.headers.get(HEADER, "")
    return given if ACCEPTABLE.fullmatch(given) else uuid.uuid4().hex[:16]
