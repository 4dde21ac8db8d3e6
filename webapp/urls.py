"""Every address of the site. All of /api is django-ninja; everything else that is not a file is the page."""

from django.contrib import admin
from django.urls import path, re_path

from webapp.accounts.views import open_link
from webapp.api import api
from webapp.http.page import index, plain_css, unknown_call

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/", unknown_call),
    path("api/", api.urls),
    re_path(r"^api/(?P<address>.*)$", unknown_call),
    path("sign-in/link/<str:token>", open_link),
    path("plain.css", plain_css),
    # No address of the page has a dot in it: a file that is missing answers 404 and never with the page.
    re_path(r"^(?!static/|ws/|admin(?:/|$))(?P<address>[^.]*)$", index),
]
