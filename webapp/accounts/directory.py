"""Sign-in with the password of a directory (LDAP), by django-auth-ldap. Django tries it after its own check, which
knows only passwords that are stored here.
"""

from __future__ import annotations

from typing import Any

import ldap
import structlog
from django.conf import settings
from django.dispatch import receiver
from django_auth_ldap.backend import LDAPBackend, ldap_error
from django_auth_ldap.config import GroupOfNamesType, LDAPSearch

from webapp.accounts.models import LDAP, User
from webapp.accounts.outside import OutsidePerson, account_of
from webapp.problems import Problem
from webapp.sign_in_settings import is_loopback

SECONDS = 5  # after which a directory that does not answer counts as away
GROUPS = "(|(objectClass=groupOfNames)(objectClass=group))"  # The second is Active Directory's.
# With these errors a directory refuses the password of one person. All others mean that it could not be asked.
REFUSALS = (ldap.INAPPROPRIATE_AUTH, ldap.UNWILLING_TO_PERFORM, ldap.CONSTRAINT_VIOLATION)

log = structlog.get_logger(__name__)


class Directory(LDAPBackend):
    """Finds people in the directory and checks their passwords there. Their accounts here have no password."""

    settings_prefix = "MASKWRIGHT_DIRECTORY_"  # No setting begins with it: all of them are in `default_settings`.

    def __init__(self) -> None:
        self.default_settings = directory_settings()

    def get_or_build_user(self, username: str, ldap_user: Any) -> tuple[User, bool]:
        groups = frozenset(ldap_user.group_names) if self.settings.GROUP_SEARCH else None
        person = OutsidePerson(
            LDAP,
            ldap_user.dn.lower()[:300],
            username.lower(),
            _first(ldap_user, "givenName"),
            _first(ldap_user, "sn"),
            _first(ldap_user, "mail"),
            groups,
        )
        return account_of(person), False


@receiver(ldap_error, sender=Directory, dispatch_uid="accounts.directory")
def say_it_is_away(sender: Any, context: str, exception: Exception, **_: Any) -> None:
    """Raise Problem 503 where django-auth-ldap would call the password wrong because the directory did not answer."""
    if context == "authenticate" and isinstance(exception, REFUSALS):
        return
    log.warning("directory_away", context=context, error=str(exception)[:300], kind=type(exception).__name__)
    text = "No account here has this user name and password, and the directory cannot be asked. Try again in a moment."
    raise Problem("directory_away", text, 503)


def directory_settings() -> dict[str, Any]:
    """Return the settings of django-auth-ldap that follow from ours."""
    config = settings.CONFIG
    url = config["MASKWRIGHT_LDAP_URL"]
    host = url.partition("://")[2].rsplit(":", 1)[0]
    groups = config["MASKWRIGHT_LDAP_GROUPS"]
    return {
        "SERVER_URI": url,
        "START_TLS": url.startswith("ldap://") and not is_loopback(host),
        "BIND_DN": config["MASKWRIGHT_LDAP_BIND_DN"],
        "BIND_PASSWORD": config["MASKWRIGHT_LDAP_BIND_PASSWORD"],
        "USER_SEARCH": LDAPSearch(
            config["MASKWRIGHT_LDAP_PEOPLE"], ldap.SCOPE_SUBTREE, config["MASKWRIGHT_LDAP_FILTER"]
        ),
        "GROUP_SEARCH": LDAPSearch(groups, ldap.SCOPE_SUBTREE, GROUPS) if groups else None,
        "GROUP_TYPE": GroupOfNamesType(),
        "ALWAYS_UPDATE_USER": False,
        "CONNECTION_OPTIONS": {
            ldap.OPT_NETWORK_TIMEOUT: SECONDS,
            ldap.OPT_TIMEOUT: SECONDS,
            ldap.OPT_REFERRALS: 0,  # Following one would send the password of the search account elsewhere.
        },
    }


def _first(ldap_user: Any, name: str) -> str:
    values = ldap_user.attrs.get(name) or [""]
    return str(values[0])
