"""The Django admin for projects, with which a superuser helps when no owner can."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from webapp.projects.models import Label, Membership, Project


class LabelRows(admin.TabularInline):
    model = Label
    extra = 0


class MembershipRows(admin.TabularInline):
    model = Membership
    extra = 0
    autocomplete_fields = ("user",)


@admin.register(Project)
class ProjectAdmin(admin.ModelAdmin):
    list_display = ("name", "created_by", "created_at")
    search_fields = ("name",)
    inlines = (MembershipRows, LabelRows)
    autocomplete_fields = ("created_by",)

    def has_delete_permission(self, request: HttpRequest, obj: Project | None = None) -> bool:
        return False  # an owner deletes a project on its page, which removes the files of its videos too
