"""Answers 404 to addresses with a number that is too large for a database key, before a query fails on it."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Iterator

from django.http import Http404, HttpRequest, JsonResponse
from django.http.response import HttpResponseBase

from webapp.http.middleware import ForBothKinds
from webapp.problems import NotFound

MOST = (1 << 63) - 1  # the largest key in both databases
LONG = re.compile(r"(?<![^/,-])0*([1-9][0-9]{18,})(?![^/,.])")  # a number of 19 digits or more between separators


class NumberLimit(ForBothKinds):
    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if not any(_is_beyond(text) for text in _texts(request)):
            return self.get_response(request)
        if not request.path.startswith("/api/"):
            raise Http404
        problem = NotFound()
        answer = JsonResponse({"code": problem.code, "text": problem.text}, status=problem.status)
        return _later(answer) if self.later else answer


def _texts(request: HttpRequest) -> Iterator[str]:
    """Yield the parts of a request that may contain database keys. The schemas of bodies have their own limits."""
    in_admin = request.path.startswith("/admin/")
    if not in_admin and not request.path.startswith("/api/"):
        return
    yield request.path
    for name, values in request.GET.lists():
        if name != "q":  # The admin's search is a text.
            yield from values
    if in_admin and request.method == "POST":
        yield from request.POST.getlist("_selected_action")


def _is_beyond(text: str) -> bool:
    # Longer numbers are not converted, since Python refuses very long ones.
    return any(len(digits) > 19 or int(digits) > MOST for digits in LONG.findall(text))


async def _later(answer: HttpResponseBase) -> HttpResponseBase:
    return answer
