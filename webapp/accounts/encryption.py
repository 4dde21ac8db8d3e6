"""Encrypts secrets that the database must keep readable for the server, with a key made from the site's secret key.

Whoever has only a copy of the database or a backup cannot read them.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from django.utils.crypto import salted_hmac

if TYPE_CHECKING:  # It is imported when it is needed, because the web process starts faster without it.
    from cryptography.fernet import Fernet

SALT = "webapp.accounts.encryption"  # It makes a key that signs nothing else.


class WrongKey(Exception):
    """A text was encrypted while the site had another secret key."""


def encrypt(text: str) -> str:
    return _cipher().encrypt(text.encode()).decode()


def decrypt(encrypted: str) -> str:
    """Return the text that `encrypt` was given. Raises WrongKey if the secret key of the site was another one then."""
    from cryptography.fernet import InvalidToken

    try:
        return _cipher().decrypt(encrypted.encode()).decode()
    except InvalidToken:
        raise WrongKey from None


def _cipher() -> Fernet:
    from cryptography.fernet import Fernet

    return Fernet(base64.urlsafe_b64encode(salted_hmac(SALT, "", algorithm="sha256").digest()))
