"""The Django admin for projects, with which a superuser helps when no owner can."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.forms import BaseInlineFormSet
from django.http import HttpRequest

from webapp.accounts.models import User
from webapp.audit.entries import Thing, record
from webapp.notifications.notify import forget_project
from webapp.projects.members import lock_project
from webapp.projects.models import Membership, Project, Role


class KeepsAnOwner(BaseInlineFormSet):
    """The form with the members of a project. It refuses a change that leaves no owner whose account is active."""

    def clean(self) -> None:
        super().clean()
        if any(self.errors):
            return  # A form with an error has no complete data, and its own error is shown.
        left = [form.cleaned_data for form in self.forms if form.cleaned_data and not form.cleaned_data.get("DELETE")]
        if self.instance.pk and not any(row["role"] == Role.OWNER and row["user"].is_active for row in left):
            raise ValidationError("A project needs an owner who is active.")


class MembershipRows(admin.TabularInline):
    model = Membership
    formset = KeepsAnOwner
    extra = 0
    autocomplete_fields = ("user",)


@admin.register(Project)
class ProjectAdmin(admin.ModelAdmin):
    """Shows projects, and changes their members. Owners change name, labels and settings on the page of the project."""

    list_display = ("name", "created_by", "created_at")
    search_fields = ("name",)
    inlines = (MembershipRows,)
    fields = readonly_fields = ("name", "created_by", "created_at", "archived_at", "deleted_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # A project is made on the page, where its maker becomes its owner.

    def has_delete_permission(self, request: HttpRequest, obj: Project | None = None) -> bool:
        return False  # an owner deletes a project on its page, which removes the files of its videos too

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Return the project, locked before its members are read if they are about to be changed."""
        found = super().get_object(request, object_id, from_field)
        if found is not None and request.method == "POST":
            lock_project(found.pk)
        return found

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Store the members, delete the notifications of those who are removed, and write into the audit log."""
        assert isinstance(request.user, User)
        before = dict(Membership.objects.filter(project=form.instance).values_list("user", "role"))
        for row in formset.forms:
            row.instance.changed_by = request.user  # The log of jobs that are taken from members names this person.
        super().save_formset(request, form, formset, change)
        after = dict(Membership.objects.filter(project=form.instance).values_list("user", "role"))
        names = dict(User.objects.filter(pk__in={*before, *after}).values_list("pk", "username"))
        for pk in sorted({*before, *after}):
            action = "member.add" if pk not in before else "member.remove" if pk not in after else "member.role"
            if pk not in after:
                forget_project(user_id=pk, project_id=form.instance.pk)
            if before.get(pk) != after.get(pk):
                role = [before.get(pk), after.get(pk)]
                record(request.user, action, Thing("user", pk, names[pk]), project_id=form.instance.pk, role=role)
