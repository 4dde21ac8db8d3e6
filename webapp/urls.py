"""The HTTP addresses of the web process, except static files: the REST API below /api, the admin, the pages that Django
renders, the probes, the metrics, and the addresses of the page.
"""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import path, re_path

from webapp.accounts import oidc
from webapp.accounts.views import open_link
from webapp.api import api
from webapp.http.page import PAGE_ADDRESS, index, plain_css, unknown_call
from webapp.operation.health import alive, ready
from webapp.projects.invitation_views import open_invitation


def metrics(request: HttpRequest) -> HttpResponse:
    # It is imported when it is needed, because the web process starts faster without the library of Prometheus.
    from webapp.operation.metrics import metrics as answer

    return answer(request)


urlpatterns = [
    path("healthz", alive),
    path("readyz", ready),
    path("metrics", metrics),
    path("admin/", admin.site.urls),
    path("api/", unknown_call),
    path("api/", api.urls),
    re_path(r"^api/(?P<address>.*)$", unknown_call),
    path("sign-in/link/<str:token>", open_link),
    path("sign-in/oidc/", oidc.start),
    path("sign-in/oidc/return", oidc.come_back),
    path("invitation/<str:token>", open_invitation),
    path("plain.css", plain_css),
    re_path(PAGE_ADDRESS, index),
]

handler500 = "webapp.http.page.server_error"
