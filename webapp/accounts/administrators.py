"""Tells who is an administrator of the site, whether it is the only one, and which rows refer to an account."""

from __future__ import annotations

import re
from typing import cast

from django.db.models.fields.reverse_related import ForeignObjectRel
from django.http import HttpRequest

from webapp.accounts.models import User
from webapp.accounts.second_factor import must_set_up
from webapp.accounts.signals import deactivating


def is_administrator(request: HttpRequest) -> bool:
    """Return whether a superuser makes the request, who has a second factor if the site demands one of them."""
    user = request.user
    return isinstance(user, User) and user.is_active and user.is_superuser and not must_set_up(user)


def is_last(user: User) -> bool:
    """Return whether `user` is the only active administrator.

    Locks the rows of all administrators until the transaction of the caller ends, so that of two administrators who
    take each other's rights at the same moment, the second is refused.
    """
    admins = User.objects.select_for_update(no_key=True).filter(is_superuser=True, is_active=True).order_by("pk")
    return [admin.pk for admin in admins] == [user.pk]


def reasons_to_stay(user: User) -> list[str]:
    """Return sentences that say why the account of `user` cannot be deactivated now. There are none if it can.

    Locks what it looks at until the transaction of the caller ends.
    """
    reasons = ["This is the last administrator who is active. Name another one first."] if is_last(user) else []
    answers = [cast(list[str], answer) for _, answer in deactivating.send(None, user=user)]
    return reasons + [text for answer in answers for text in answer]


def hanging_on(user: User) -> list[tuple[str, int]]:
    """Return how many rows of each kind refer to `user`, such as ("rounds", 12), the largest number first."""
    counts: dict[str, int] = {}
    relations = [field for field in User._meta.get_fields(include_hidden=True) if isinstance(field, ForeignObjectRel)]
    for relation in relations:
        meta = relation.related_model._meta
        if relation.many_to_many or meta.auto_created or meta.app_label in ("accounts", "admin"):
            continue  # Tokens, links and sessions belong to the account itself, and being in a team keeps nobody.
        name = re.sub(r"([^aeiou])ys$", r"\1ies", str(meta.verbose_name_plural))
        found = relation.related_model._base_manager.filter(**{relation.field.name: user}).count()
        counts[name] = counts.get(name, 0) + found
    return sorted(((name, count) for name, count in counts.items() if count), key=lambda row: -row[1])
