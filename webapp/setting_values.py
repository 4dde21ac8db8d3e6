"""How the text of an environment variable becomes a value. Each reader raises ValueError for a text that cannot work.

A WrongValue says what is wrong; for any other ValueError the form that the variable wants says enough.
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

# Django's own limits (security.W009). A key below them can be guessed, and whoever has it can sign in as anybody.
KEY_LENGTH, KEY_CHARACTERS = 50, 5


class WrongValue(ValueError):
    """The text of this error says what is wrong with a value."""


def text(value: str) -> str:
    return value


def integer(value: str) -> int:
    number = int(value)
    if number < 0:
        raise ValueError
    return number


def flag(value: str) -> bool:
    known = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False, "": False}
    if value.lower() not in known:
        raise ValueError
    return known[value.lower()]


def names(value: str) -> list[str]:
    return [part.strip() for part in value.split(",") if part.strip()]


def port(value: str) -> int:
    number = int(value)
    if not 0 <= number <= 65535:
        raise ValueError
    return number


def device(value: str) -> str:
    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", value):
        raise ValueError
    return value


def secret_key(value: str) -> str:
    """A key for signing cookies; empty means that one is to be made."""
    if value and (len(value) < KEY_LENGTH or len(set(value)) < KEY_CHARACTERS or value.startswith("django-insecure-")):
        raise WrongValue("it can be guessed")
    return value


def hosts(value: str) -> list[str]:
    """Host names as Django compares them. `*` would accept any, and with it links that lead to foreign sites."""
    found = names(value)
    for host in found:
        if host == "*":
            raise WrongValue("* accepts every host name, so anybody could make the site write links to another one")
        if not re.fullmatch(r"\.?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?|\[[0-9A-Fa-f:.]+\]", host):
            raise WrongValue(f"{host!r} is no plain host name")
    return found


def origins(value: str) -> list[str]:
    """Origins as browsers send them: scheme, host and, unless it is the scheme's own, the port."""
    found = names(value)
    for origin in found:
        parts = urlsplit(origin)
        if parts.scheme not in ("http", "https") or not parts.netloc or "*" in origin:
            raise WrongValue(f"{origin!r} is no origin: it begins with https:// or http:// and names one host")
        if origin != f"{parts.scheme}://{parts.netloc}":
            raise WrongValue(f"{origin!r} must end after the host and port")
    return [origin.lower() for origin in found]


def networks(value: str) -> list[str]:
    """IP addresses and networks, such as 10.0.0.0/8."""
    return [str(ipaddress.ip_network(part, strict=False)) for part in names(value)]
