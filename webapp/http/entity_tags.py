"""Entity tags: answers get an ETag, and a client that has the same answer already gets 304.

The header If-Match of a change is compared in webapp/rest.py.
"""

from __future__ import annotations

from hashlib import sha256

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.http import ConditionalGetMiddleware

API = "/api/"


class EntityTags(ConditionalGetMiddleware):
    """Gives answers to GET calls of the REST API an ETag, and answers 304 without a body if the client has the same.

    A client may keep such an answer but asks again each time, if the call does not say otherwise. Answers that are
    immutable or streamed get no ETag.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if not request.path_info.startswith(API) or "immutable" in response.headers.get("Cache-Control", ""):
            return response
        if request.method == "GET":
            response.headers.setdefault("Cache-Control", "private, no-cache")
            if response.has_header("Link") and not response.streaming and not response.has_header("ETag"):
                # A page of a list can stay the same while another page is added behind it.
                parts = response.content + b"\n" + response["Link"].encode()  # type: ignore[attr-defined]
                response["ETag"] = f'"{sha256(parts).hexdigest()[:32]}"'
        return super().process_response(request, response)
