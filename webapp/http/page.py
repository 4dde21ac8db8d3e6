"""Serves the build of the front end for all addresses that the front end knows."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, ensure_csrf_cookie
from django.views.decorators.http import require_GET, require_safe

PROJECT_TABS = ("videos", "guide", "members", "exports", "numbers", "quality", "audit", "settings")
# The routes of frontend/src/route.ts; a test compares both. Any other address is 404.
PAGES = ("sign-in", "work", "audit", "trash", "status", "account", "teams", "quotas")
PAGE_ADDRESS = rf"^(?:{'|'.join(PAGES)}|projects/[1-9][0-9]*(?:/(?:{'|'.join(PROJECT_TABS)}))?|videos/[1-9][0-9]*)?/?$"


@require_safe
@never_cache
@ensure_csrf_cookie  # The page sends the value of this cookie with every call that writes.
def index(request: HttpRequest) -> HttpResponse:
    """Answer with frontend/dist/index.html, read each time so that a new build needs no restart."""
    try:
        html = (settings.FRONTEND_DIST / "index.html").read_bytes()
    except FileNotFoundError:
        answer = render(request, "not_built.html", status=503)
        answer["Retry-After"] = "5"
        return answer
    return HttpResponse(html)


@require_GET
def plain_css(request: HttpRequest) -> HttpResponse:
    """Answer with the style sheet of pages that Django renders itself."""
    return render(request, "plain.css", content_type="text/css")


@csrf_exempt  # It changes nothing, and a script whose address is wrong must read that instead of a sentence on cookies.
def unknown_call(request: HttpRequest, address: str = "") -> HttpResponse:
    """Answer unknown addresses below /api with JSON instead of the page."""
    return JsonResponse({"code": "not_found", "text": f"There is no call /api/{address}."}, status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer after a fault of the program: with JSON below /api, elsewhere with a page."""
    if not request.path.startswith("/api/"):
        return render(request, "500.html", status=500)
    text = "The server failed by a fault of the program. Its log names it."
    return JsonResponse({"code": "failed", "text": text}, status=500)
