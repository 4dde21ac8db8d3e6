"""People whom a provider (OpenID Connect) or a directory (LDAP) knows: their accounts here, and their groups."""

from __future__ import annotations

import re
from dataclasses import dataclass

import structlog
from django.conf import settings
from django.db import transaction

from webapp.accounts.administrators import is_last
from webapp.accounts.models import LDAP, OutsideIdentity, User
from webapp.accounts.signals import account_changed, groups_known
from webapp.problems import Problem

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class OutsidePerson:
    """A person as the provider or the directory describes them.

    `subject` is "ISSUER SUBJECT", or the distinguished name in a directory. `username` is the name that a new account
    here gets if no other account has it. `groups` is None for a directory in which groups are not looked up.
    """

    provider: str
    subject: str
    username: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    groups: frozenset[str] | None = None


@transaction.atomic
def account_of(person: OutsidePerson, *, connect_to: User | None = None) -> User:
    """Return the account of `person`, and make it if there is none. The person's groups at the provider or in the
    directory decide about the rights of the account.

    An existing account is never taken over because it has the same name. Its owner must connect it: `connect_to` is
    the user who does so.

    Raises Problem if the person may not sign in.
    """
    wanted = frozenset(settings.CONFIG["MASKWRIGHT_SIGN_IN_GROUPS"])
    if wanted and not wanted & (person.groups or frozenset()):
        raise Problem("not_in_group", "Your account is in none of the groups that may sign in here.", 403)
    known = OutsideIdentity.objects.select_related("user").filter(provider=person.provider, subject=person.subject)
    identity = known.first()
    if identity is not None and connect_to is not None and identity.user_id != connect_to.pk:
        raise Problem("connected_elsewhere", "This account is connected to another person here.", 409)
    user = identity.user if identity else (connect_to or _new_user(person))
    if not user.is_active:
        raise Problem("account_off", "Your account was switched off here. Ask an administrator of this site.", 403)
    if identity is None:
        OutsideIdentity.objects.create(user=user, provider=person.provider, subject=person.subject)
        details = {"provider": person.provider}
        account_changed.send(None, user=user, by=user, action="user.connect", details=details)
    if person.groups is not None:
        _apply_groups(user, person.groups)
    return user


def _new_user(person: OutsidePerson) -> User:
    username = re.sub(r"[^\w.@+-]", "", person.username)[:150]
    if not username:
        raise Problem("no_name", "Your account has no user name that can be used here. Ask an administrator.", 403)
    if User.objects.filter(username__iexact=username).exists():
        how = (
            "ask an administrator to connect it with the directory."
            if person.provider == LDAP
            else "sign in with its password and connect it in the menu of your account, or ask an administrator."
        )
        text = f"There is an account called {username} here, which does not sign in this way. If it is yours, {how}"
        raise Problem("name_taken", text, 409)
    user = User(username=username, first_name=person.first_name[:150], last_name=person.last_name[:150])
    user.email = person.email[:254]
    user.set_unusable_password()
    user.save()
    return user


def _apply_groups(user: User, groups: frozenset[str]) -> None:
    admins = frozenset(settings.CONFIG["MASKWRIGHT_ADMIN_GROUPS"])
    is_admin = bool(admins & groups)
    if admins and not is_admin and is_last(user):
        # A provider that stops sending groups would otherwise leave nobody who can mend the settings.
        log.warning("last_administrator_kept", username=user.username)
    elif admins and is_admin != user.is_superuser:
        user.is_superuser = user.is_staff = is_admin
        user.save(update_fields=["is_superuser", "is_staff"])
        details = {"administrator": [not is_admin, is_admin]}
        account_changed.send(None, user=user, by=None, action="user.change", details=details)
    groups_known.send(None, user=user, groups=groups)
