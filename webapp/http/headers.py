"""Security headers that Django's own middleware does not set."""

from __future__ import annotations

from collections.abc import Awaitable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from webapp.http.middleware import ForBothKinds

PERMISSIONS = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"


def content_security_policy(request: HttpRequest) -> str:
    """Return a Content-Security-Policy that allows only content of this site, and blobs as images, media and workers.

    The page creates such blobs itself. Images may also be data: addresses, and images and answers to calls may come
    from a bucket to which browsers are sent.
    """
    host = request.get_host()
    bucket = settings.CONFIG["STORAGE_URL"]
    pictures = f" {bucket.endpoint}" if bucket is not None and bucket.direct else ""
    return "; ".join(
        (
            "default-src 'self'",
            f"img-src 'self' blob: data:{pictures}",
            "media-src 'self' blob:",
            "worker-src 'self' blob:",
            # In some browsers 'self' does not include the socket of the same host.
            f"connect-src 'self' ws://{host} wss://{host}{pictures}",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


class SecurityHeaders(ForBothKinds):
    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self.later:
            return self._later(request)
        response = self.get_response(request)
        assert isinstance(response, HttpResponseBase)
        return self._add(request, response)

    async def _later(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        assert not isinstance(response, HttpResponseBase)
        return self._add(request, await response)

    def _add(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        response.headers.setdefault("Content-Security-Policy", content_security_policy(request))
        response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        return response
