"""The Django admin for quotas."""

from __future__ import annotations

from django.contrib import admin

from webapp.quotas.models import Quota


@admin.register(Quota)
class QuotaAdmin(admin.ModelAdmin):
    list_display = ("__str__", "scope", "frames", "bytes", "engine_seconds")
    list_filter = ("scope",)
    autocomplete_fields = ("project", "person")
