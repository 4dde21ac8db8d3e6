"""Gives the answers to clients of tus, the protocol of uploads that can be resumed, the header that its specification
demands.
"""

from __future__ import annotations

from collections.abc import Awaitable

from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase

from webapp.http.middleware import ForBothKinds
from webapp.tus import HEADER, VERSION


class TusHeaders(ForBothKinds):
    """Gives every answer to a request of tus the header Tus-Resumable, and answers 412 to a request of another version
    of tus.
    """

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if HEADER not in request.headers:
            return self.get_response(request)
        if self.later:
            return self._later(request)
        if not _fits(request):
            return _marked(_wrong_version())
        answer = self.get_response(request)
        assert isinstance(answer, HttpResponseBase)
        return _marked(answer)

    async def _later(self, request: HttpRequest) -> HttpResponseBase:
        if not _fits(request):
            return _marked(_wrong_version())
        answer = self.get_response(request)
        assert not isinstance(answer, HttpResponseBase)
        return _marked(await answer)


def _fits(request: HttpRequest) -> bool:
    return request.method == "OPTIONS" or request.headers[HEADER] == VERSION


def _wrong_version() -> HttpResponseBase:
    text = f"This server speaks tus {VERSION}."
    return JsonResponse({"code": "wrong_tus", "text": text}, status=412, headers={"Tus-Version": VERSION})


def _marked(answer: HttpResponseBase) -> HttpResponseBase:
    answer.headers[HEADER] = VERSION
    return answer
