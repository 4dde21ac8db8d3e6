"""Every address of the site. All of /api is django-ninja; everything else that is not a file is the page."""

from django.contrib import admin
from django.urls import path

urlpatterns = [path("admin/", admin.site.urls)]
