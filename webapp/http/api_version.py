"""Gives the REST API its versioned address: /api/v1/... is the same call as /api/..., which the page uses."""

from __future__ import annotations

from collections.abc import Awaitable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from webapp.http.middleware import ForBothKinds

PREFIX = "/api/v1/"


class ApiVersion(ForBothKinds):
    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if request.path_info.startswith(PREFIX):
            request.path_info = request.path = "/api/" + request.path_info.removeprefix(PREFIX)
        return self.get_response(request)
