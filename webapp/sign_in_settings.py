"""The settings of sign-in: the second factor, a provider of OpenID Connect, a directory (LDAP), and groups."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from webapp.setting_values import HOST_NAME, WrongValue, names, text
from webapp.variable import Variable

ROLES = ("owner", "manager", "reviewer", "annotator", "viewer")
PARTS_OF_GROUP_ROLE = re.compile(r"(?P<group>[^=]+)=(?P<project>[1-9][0-9]{0,17}):(?P<role>[a-z]+)")


class GroupRole(NamedTuple):
    """Members of `group` have `role` in the project with the id `project`."""

    group: str
    project: int
    role: str


def second_factor(value: str) -> str:
    if value not in ("optional", "admins", "everybody"):
        raise ValueError
    return value


def issuer(value: str) -> str:
    """Check the address of a provider of OpenID Connect. Plain http is for a provider on this machine only."""
    if not value:
        return ""
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not re.fullmatch(HOST_NAME, parts.hostname or "") or parts.query:
        raise ValueError
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise WrongValue("over plain http anybody on the way could sign in as anybody")
    _needs("authlib", "oidc")
    return value.rstrip("/")


def directory(value: str) -> str:
    """Return `value` if it is the address of an LDAP server, or empty. Raises ValueError otherwise."""
    if not value:
        return ""
    parts = urlsplit(value)
    if parts.scheme not in ("ldap", "ldaps") or not re.fullmatch(HOST_NAME, parts.hostname or ""):
        raise ValueError
    if parts.path.strip("/") or parts.query or parts.port == 0:
        raise WrongValue("it must end after the host and port")
    _needs("django_auth_ldap", "ldap")
    return value.rstrip("/")


def distinguished_name(value: str) -> str:
    if value and not all("=" in part for part in re.split(r"(?<!\\),", value)):
        raise ValueError
    return value


def person_filter(value: str) -> str:
    if value.count("%(user)s") != 1 or not re.fullmatch(r"\(.+\)", value) or value.replace("%(user)s", "").count("%"):
        raise ValueError
    return value


def group_roles(value: str) -> list[GroupRole]:
    found = []
    for part in names(value):
        match = PARTS_OF_GROUP_ROLE.fullmatch(part)
        if match is None:
            raise WrongValue(f"{part!r} is not of this form")
        if match["role"] not in ROLES:
            raise WrongValue(f"{match['role']!r} is no role; the roles are {', '.join(ROLES)}")
        found.append(GroupRole(match["group"].strip(), int(match["project"]), match["role"]))
    return found


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def contradiction(found: Mapping[str, Any]) -> str | None:
    """Return what is wrong with settings that cannot work together, or None."""
    for given, missing in (
        ("MASKWRIGHT_OIDC_ISSUER", "MASKWRIGHT_OIDC_CLIENT_ID"),
        ("MASKWRIGHT_OIDC_CLIENT_ID", "MASKWRIGHT_OIDC_ISSUER"),
        ("MASKWRIGHT_LDAP_URL", "MASKWRIGHT_LDAP_PEOPLE"),
        ("MASKWRIGHT_LDAP_PEOPLE", "MASKWRIGHT_LDAP_URL"),
    ):
        if found[given] and not found[missing]:
            form = next(variable.form for variable in SIGN_IN_VARIABLES if variable.name == missing)
            return f"{missing} is not set, but {given} is: set it too. Wanted: {form}"
    return None


def _needs(module: str, extra: str) -> None:
    if find_spec(module) is None:
        raise WrongValue(f'it needs further packages: pip install "maskwright[{extra}]"')


SIGN_IN_VARIABLES = (
    Variable(
        "MASKWRIGHT_SECOND_FACTOR",
        "optional",
        second_factor,
        "optional, admins or everybody",
        "Who must set up a second factor (codes of an app) before anything else; all others may.",
    ),
    Variable(
        "MASKWRIGHT_OIDC_ISSUER",
        "",
        issuer,
        "https://login.example.org",
        "Provider of OpenID Connect, whose button the sign-in shows. Its return address is SITE/sign-in/oidc/return.",
    ),
    Variable("MASKWRIGHT_OIDC_CLIENT_ID", "", text, "a text", "The name under which the provider knows this site."),
    Variable("MASKWRIGHT_OIDC_CLIENT_SECRET", "", text, "a text", "The provider's secret for this site.", secret=True),
    Variable("MASKWRIGHT_OIDC_NAME", "Single sign-on", text, "a text", "What the button of the provider says."),
    Variable("MASKWRIGHT_OIDC_GROUPS_CLAIM", "groups", text, "a text", "The claim that lists the groups of a person."),
    Variable(
        "MASKWRIGHT_LDAP_URL",
        "",
        directory,
        "ldaps://ldap.example.org",
        "Directory in which people are looked up. ldap:// is encrypted by StartTLS, except on this machine.",
    ),
    Variable(
        "MASKWRIGHT_LDAP_PEOPLE",
        "",
        distinguished_name,
        "a name such as ou=people,dc=example,dc=org",
        "The part of the directory below which people are.",
    ),
    Variable(
        "MASKWRIGHT_LDAP_FILTER",
        "(uid=%(user)s)",
        person_filter,
        "a filter in brackets with %(user)s once",
        "How a person is found by user name. Active Directory: `(sAMAccountName=%(user)s)`.",
    ),
    Variable(
        "MASKWRIGHT_LDAP_GROUPS",
        "",
        distinguished_name,
        "a name such as ou=groups,dc=example,dc=org",
        "The part of the directory below which groups are, which list their members in `member`. Empty: no groups.",
    ),
    Variable(
        "MASKWRIGHT_LDAP_BIND_DN",
        "",
        distinguished_name,
        "a name such as cn=maskwright,dc=example,dc=org",
        "Account of the directory that looks people up. Empty: without an account.",
    ),
    Variable("MASKWRIGHT_LDAP_BIND_PASSWORD", "", text, "a text", "The password of that account.", secret=True),
    Variable(
        "MASKWRIGHT_SIGN_IN_GROUPS",
        "",
        names,
        "groups, comma separated",
        "Only their members may sign in through the provider or the directory. Empty: everybody it knows.",
    ),
    Variable(
        "MASKWRIGHT_ADMIN_GROUPS",
        "",
        names,
        "groups, comma separated",
        "Their members are administrators of the site, and others who sign in that way are not. Empty: as set here.",
    ),
    Variable(
        "MASKWRIGHT_GROUP_ROLES",
        "",
        group_roles,
        "GROUP=PROJECT:ROLE, comma separated, such as masks=3:annotator",
        "Roles in projects (by number) of those who sign in that way; it is looked up at each sign-in.",
    ),
)
