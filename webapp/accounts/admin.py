"""The Django admin for user accounts. It is open to superusers only; `is_staff` is not enough."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import urlencode

from webapp.accounts.administrators import hanging_on, is_administrator, is_last, reasons_to_stay
from webapp.accounts.links import make_link
from webapp.accounts.models import OutsideIdentity, User
from webapp.accounts.second_factor import turn_off
from webapp.accounts.signals import account_changed


def sign_in_first(request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
    """Redirect to the sign-in of the page, which asks for a second factor and offers every way to sign in here.

    Somebody who is signed in but is no superuser gets a page with status 403 instead, because the sign-in would
    lead them back to this address.
    """
    user = request.user
    if isinstance(user, User) and user.is_active and not user.is_superuser:
        return render(request, "not_for_you.html", status=403)
    wanted = request.GET.get("next", "/admin/")
    return redirect(f"/sign-in?{urlencode({'next': wanted})}")


admin.site.unregister(Group)  # Django's groups give permissions that nothing here asks for.
admin.site.login = sign_in_first  # type: ignore[method-assign]
admin.site.has_permission = is_administrator  # type: ignore[method-assign]
admin.site.site_header = admin.site.site_title = "Maskwright"
admin.site.index_title = "People and projects"


class OutsideIdentityRows(admin.TabularInline):
    """Shows who the person is at the provider ("ISSUER SUBJECT") or in the directory (its distinguished name)."""

    model = OutsideIdentity
    extra = 0


@admin.register(User)
class PersonAdmin(UserAdmin):
    list_display = ("username", "name", "is_active", "is_superuser", "last_login")
    search_fields = ("username", "name", "email")
    list_filter = ("is_active", "is_superuser")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("name", "email")}),
        ("Account", {"fields": ("is_active", "is_superuser", "last_login", "date_joined", "hangs_on_it")}),
    )
    readonly_fields = ("last_login", "date_joined", "hangs_on_it")
    inlines = (OutsideIdentityRows,)
    actions = ("make_sign_in_links", "turn_second_factors_off", "deactivate")

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False  # Rounds and the audit log name people. `hangs_on_it` says so, and `deactivate` is offered.

    @admin.display(description="Why it is not deleted")
    def hangs_on_it(self, user: User) -> str:
        found = ", ".join(f"{count} {name}" for name, count in hanging_on(user)) or "nothing yet"
        return f"{found}. Deactivate the account instead: it keeps what it made, and nobody can sign in with it."

    def get_form(self, request: HttpRequest, obj: User | None = None, change: bool = False, **more: Any) -> Any:
        form = super().get_form(request, obj, change=change, **more)
        if obj is None:
            return form
        person = obj

        class Checked(form):  # type: ignore[misc, valid-type]
            """The form of an account. It refuses a change that leaves the site without an active administrator, or a
            project without an active owner.
            """

            def clean(self) -> dict[str, Any]:
                cleaned: dict[str, Any] = super().clean()
                if not cleaned.get("is_active", True):
                    if User.objects.filter(pk=person.pk, is_active=True).exists() and (why := reasons_to_stay(person)):
                        raise ValidationError(why)
                elif not cleaned.get("is_superuser", True) and is_last(person):
                    raise ValidationError("This is the last administrator who is active. Name another one first.")
                return cleaned

        return Checked

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        assert isinstance(request.user, User)
        rights = ("is_active", "is_superuser")
        details = {name: [form.initial.get(name), getattr(obj, name)] for name in rights if name in form.changed_data}
        account_changed.send(
            None,
            user=obj,
            by=request.user,
            action="user.change" if change else "user.create",
            details={**details, "fields": [name for name in form.changed_data if name not in details]},
        )

    @admin.action(description="Deactivate the selected users")
    def deactivate(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        assert isinstance(request.user, User)
        for user in queryset.filter(is_active=True):
            reasons = (
                ["You cannot deactivate yourself."] if user == request.user else _deactivate(user, by=request.user)
            )
            if reasons:
                text = f"{user.username} stays active. {' '.join(reasons)}"
                self.message_user(request, text, messages.WARNING)
            else:
                self.message_user(request, f"{user.username} cannot sign in any more.", messages.INFO)

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


@transaction.atomic
def _deactivate(user: User, *, by: User) -> list[str]:
    """Deactivate one user, or return why this user has to stay active.

    Each user has a transaction of their own: it locks the user's projects and then heads of videos, and with several
    users in one transaction it would lock the projects of the second after the heads of the first.
    """
    if reasons := reasons_to_stay(user):
        return reasons
    User.objects.filter(pk=user.pk).update(is_active=False)
    account_changed.send(None, user=user, by=by, action="user.deactivate", details={})
    return []
