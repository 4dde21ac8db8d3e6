"""The Django admin for user accounts. It is open to superusers only; `is_staff` is not enough."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import urlencode

from webapp.accounts.administrators import is_administrator
from webapp.accounts.links import make_link
from webapp.accounts.models import User
from webapp.accounts.second_factor import turn_off


def sign_in_first(request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
    """Send people to the sign-in of the page, which asks for a second factor and offers the ways of this site.

    Who is signed in but no administrator gets an answer here, because signing in would lead back to this address.
    """
    user = request.user
    if isinstance(user, User) and user.is_active and not user.is_superuser:
        return render(request, "not_for_you.html", status=403)
    wanted = request.GET.get("next", "/admin/")
    return redirect(f"/sign-in?{urlencode({'next': wanted})}")


admin.site.login = sign_in_first  # type: ignore[method-assign]
admin.site.has_permission = is_administrator  # type: ignore[method-assign]
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
    actions = ("make_sign_in_links", "turn_second_factors_off")

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False  # Rounds and the audit log name people. Take the tick from "Active" instead.

    @admin.action(description="Make a one-time sign-in link for each selected user")
    def make_sign_in_links(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in queryset.filter(is_active=True):
            address = request.build_absolute_uri(make_link(user=user))
            self.message_user(request, f"{user.username}, once within two days: {address}", messages.WARNING)

    @admin.action(description="Turn the second factor off for each selected user")
    def turn_second_factors_off(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        assert isinstance(request.user, User)
        for user in queryset:
            text = "is off" if turn_off(user=user, by=request.user) else "was not on"
            self.message_user(request, f"The second factor of {user.username} {text}.", messages.INFO)
