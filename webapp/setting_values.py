"""Functions that turn the text of an environment variable into a value, and raise ValueError if that is impossible.

The message of a WrongValue is shown to the person. For other ValueErrors, only the form that the value must have is
shown (`Variable.form` in configuration.py).
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from webapp import logs

# The limits of Django's check security.W009. Whoever guesses the key can sign in as anybody.
KEY_LENGTH, KEY_CHARACTERS = 50, 5


class WrongValue(ValueError):
    """A value cannot work. The message says why."""


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


def log_form(value: str) -> str:
    if value not in (logs.TEXT, logs.JSON):
        raise ValueError
    return value


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
    """Check a key for signing cookies. An empty text means that the key is made and kept in the data folder."""
    if value and (len(value) < KEY_LENGTH or len(set(value)) < KEY_CHARACTERS or value.startswith("django-insecure-")):
        raise WrongValue("it can be guessed")
    return value


def hosts(value: str) -> list[str]:
    """Read host names in the form in which Django compares them with the Host header."""
    found = names(value)
    for host in found:
        if host == "*":
            raise WrongValue("* accepts every host name, so anybody could make the site write links to another one")
        if not re.fullmatch(r"\.?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?|\[[0-9A-Fa-f:.]+\]", host):
            raise WrongValue(f"{host!r} is no plain host name")
    return found


def origins(value: str) -> list[str]:
    """Read origins in the form in which browsers send them: scheme, host and, unless it is the default, port."""
    found = names(value)
    for origin in found:
        parts = urlsplit(origin)
        if parts.scheme not in ("http", "https") or not parts.netloc or "*" in origin:
            raise WrongValue(f"{origin!r} is no origin: it begins with https:// or http:// and names one host")
        if origin != f"{parts.scheme}://{parts.netloc}":
            raise WrongValue(f"{origin!r} must end after the host and port")
    return [origin.lower() for origin in found]


def networks(value: str) -> list[str]:
    """Read IP addresses and networks, such as 10.0.0.0/8."""
    return [str(ipaddress.ip_network(part, strict=False)) for part in names(value)]
