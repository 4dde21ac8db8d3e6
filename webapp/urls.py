"""Every address of the site. All of /api is django-ninja; everything else that is not a file is the page."""

from django.contrib import admin
from django.urls import path

from webapp.api import api

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/", api.urls),
]
