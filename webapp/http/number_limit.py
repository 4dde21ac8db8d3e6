"""Refuses requests to the REST API and the admin with a number that is too large for a database key, before a query
fails on it.

A page or a thing with such a number does not exist (404). In a parameter of a REST call the number is refused (422),
except in a text to search for. The schemas of bodies have limits of their own.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Iterator

from django.http import Http404, HttpRequest, JsonResponse
from django.http.response import HttpResponseBase

from webapp.http.middleware import ForBothKinds
from webapp.problems import NotFound

MOST = (1 << 63) - 1  # the largest key in both databases
SEARCH = "q"  # The parameter that is a text to search for.
LONG = re.compile(r"(?<![^/,-])0*([1-9][0-9]{18,})(?![^/,.])")  # a number of 19 digits or more between separators


class NumberLimit(ForBothKinds):
    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if request.path.startswith("/admin/"):
            if _is_beyond(request.path) or any(map(_is_beyond, _texts_of_admin(request))):
                raise Http404
        elif request.path.startswith("/api/"):
            refusal = _refusal(request)
            if refusal is not None:
                return _later(refusal) if self.later else refusal
        return self.get_response(request)


def _refusal(request: HttpRequest) -> JsonResponse | None:
    """Return the answer to a call with a number that is too large: 404 in its path, 422 in a parameter."""
    if _is_beyond(request.path):
        problem = NotFound()
        return JsonResponse({"code": problem.code, "text": problem.text}, status=problem.status)
    for name, values in request.GET.lists():
        if name != SEARCH and any(map(_is_beyond, values)):
            text = f"{name[:100]}: The number is too large."
            return JsonResponse({"code": "invalid", "text": text, "field": name[:100]}, status=422)
    return None


def _texts_of_admin(request: HttpRequest) -> Iterator[str]:
    """Yield the parts of a request to the admin, besides its path, that may contain database keys."""
    for name, values in request.GET.lists():
        if name != SEARCH:
            yield from values
    if request.method == "POST":
        yield from request.POST.getlist("_selected_action")


def _is_beyond(text: str) -> bool:
    # Longer numbers are not converted, since Python refuses very long ones.
    return any(len(digits) > 19 or int(digits) > MOST for digits in LONG.findall(text))


async def _later(answer: HttpResponseBase) -> HttpResponseBase:
    return answer
