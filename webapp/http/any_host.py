"""Lets probes and scrapers ask under any host name, because they use the address of a container or a pod."""

from __future__ import annotations

from collections.abc import Awaitable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from webapp.http.middleware import ForBothKinds

PATHS = {"/healthz", "/readyz", "/metrics"}  # Their answers are the same for every host.


class AnyHost(ForBothKinds):
    """Replaces the header Host of requests for one of `PATHS` by the first host in MASKWRIGHT_ALLOWED_HOSTS."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if request.path in PATHS:
            request.META["HTTP_HOST"] = settings.ALLOWED_HOSTS[0].lstrip(".")
        return self.get_response(request)
