"""The Django admin for user accounts. It is open to superusers only; `is_staff` is not enough."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.admin import UserAdmin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest

from webapp.accounts.limits import try_sign_in
from webapp.accounts.links import make_link
from webapp.accounts.models import User
from webapp.problems import Problem


def superusers_only(request: HttpRequest) -> bool:
    user = request.user
    return bool(user.is_active and getattr(user, "is_superuser", False))


class SignInForm(AdminAuthenticationForm):
    """The form of /admin/login/. Its wrong passwords count towards the same limits as those of POST /api/sign-in."""

    def clean(self) -> dict[str, Any]:
        username = self.cleaned_data.get("username")
        if not username or not self.cleaned_data.get("password"):
            return super().clean()  # no password is tried
        address = "" if self.request is None else self.request.META.get("REMOTE_ADDR", "")
        try:
            tried = try_sign_in(username=username, address=address)
        except Problem as problem:
            raise ValidationError(problem.text, code=problem.code) from None
        cleaned = super().clean()
        tried.succeeded()
        return cleaned


admin.site.login_form = SignInForm
admin.site.has_permission = superusers_only  # type: ignore[method-assign]
admin.site.site_header = admin.site.site_title = "Maskwright"
admin.site.index_title = "People and projects"


@admin.register(User)
class PersonAdmin(UserAdmin):
    list_display = ("username", "name", "is_active", "is_superuser", "last_login")
    search_fields = ("username", "name", "email")
    list_filter = ("is_active", "is_superuser")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("name", "email")}),
        ("Account", {"fields": ("is_active", "is_superuser", "last_login", "date_joined")}),
    )
    readonly_fields = ("last_login", "date_joined")
    actions = ("make_sign_in_links",)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False  # Rounds and the audit log name people. Take the tick from "Active" instead.

    @admin.action(description="Make a one-time sign-in link for each selected user")
    def make_sign_in_links(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in queryset.filter(is_active=True):
            address = request.build_absolute_uri(make_link(user=user))
            self.message_user(request, f"{user.username}, once within two days: {address}", messages.WARNING)
