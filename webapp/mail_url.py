"""Reads EMAIL_URL, the server that sends mail, and checks it as far as that is possible without the server."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from webapp.setting_values import WrongValue, origins

PORTS = {"smtp": 25, "smtp+tls": 587, "smtps": 465}  # `smtp+tls` begins in plain text and then asks for TLS (STARTTLS).
SECONDS = 20  # A server that answers later counts as unreachable.


def mail_settings(url: str) -> dict[str, Any]:
    """Return Django's settings for sending mail, and SITE_URL, the origin that links in mails begin with.

    If `url` is empty, so are the host and SITE_URL, and there are no further settings. Raises ValueError for a URL that
    cannot work.
    """
    if not url:
        return {"EMAIL_HOST": "", "SITE_URL": ""}
    parts = urlsplit(url)
    if parts.scheme not in PORTS:
        raise WrongValue(f"it must begin with {' or '.join(f'{scheme}://' for scheme in PORTS)}")
    if not parts.hostname:
        raise WrongValue("it names no host")
    given = {name: texts[-1] for name, texts in parse_qs(parts.query, keep_blank_values=True).items()}
    if set(given) != {"from", "site"}:
        raise WrongValue("it must end with ?from=ADDRESS&site=ORIGIN and no other options")
    try:
        validate_email(given["from"])
        port = parts.port or PORTS[parts.scheme]
    except ValidationError:
        raise WrongValue("its `from` is no mail address") from None
    return {
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": port,
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_TLS": parts.scheme == "smtp+tls",
        "EMAIL_USE_SSL": parts.scheme == "smtps",
        "EMAIL_TIMEOUT": SECONDS,
        "DEFAULT_FROM_EMAIL": given["from"],
        "SITE_URL": _origin(given["site"]),
    }


def _origin(site: str) -> str:
    found = origins(site)
    if len(found) != 1:
        raise WrongValue("its `site` must be one origin, such as https://masks.example.org")
    return found[0]
