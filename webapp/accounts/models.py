"""Users, what they sign in with (one-time links, second factors, accounts at a provider or in a directory), their API
tokens, and the browsers in which they are signed in.
"""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models

OIDC, LDAP = "oidc", "ldap"  # The values of OutsideIdentity.provider.


class User(AbstractUser):
    """A person. Others see `name`; if it is empty, the first and last name, or the user name.

    `key_bindings` maps ids of commands of the page to lists of keys, for the commands whose keys the person has
    changed.
    """

    name = models.CharField(max_length=120, blank=True)
    key_bindings = models.JSONField(default=dict, blank=True)
    # The projects that a request with a token is limited to; None for all. It is no database column: tokens.py sets it
    # for the user of one request, and projects/access.py reads it.
    token_projects: frozenset[int] | None = None

    @property
    def shown_name(self) -> str:
        return self.name or self.get_full_name() or self.username

    def signs_in_outside(self) -> bool:
        """Return whether the person can sign in only at a provider or with the password of a directory."""
        return not self.has_usable_password() and self.outside_identities.exists()


class Token(models.Model):
    """A secret with which scripts call the API as its owner. The table holds a hash of it; tokens.py makes it."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=60)
    token_hash = models.CharField(max_length=64, unique=True)
    hint = models.CharField(max_length=4)  # The last letters of the secret, by which its owner recognises it.
    projects = models.JSONField(null=True)  # A list of project ids; None for all projects of its owner.
    may_write = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.name} (...{self.hint})"


class SignInLink(models.Model):
    """A link that signs its user in once. The table holds a hash of the token, not the token."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sign_in_links")
    token_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.user} until {self.expires_at:%Y-%m-%d %H:%M}"


class SignedInBrowser(models.Model):
    """A session of a person: where they signed in, and when. sessions.py keeps the rows."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="browsers")
    session_key = models.CharField(max_length=40, db_index=True)
    address = models.CharField(max_length=45, blank=True)
    agent = models.CharField(max_length=200, blank=True)  # The header User-Agent.
    signed_in_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.user} at {self.address}"


class SecondFactor(models.Model):
    """The secret from which an app on a person's phone makes six-digit codes. second_factor.py checks them."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="second_factor")
    secret = models.CharField(max_length=255)  # Encrypted (encryption.py).
    confirmed_at = models.DateTimeField(null=True)  # None until the person has entered a right code.
    last_step = models.PositiveBigIntegerField(default=0)  # The time step of the last code that was used.

    def __str__(self) -> str:
        return f"Second factor of {self.user}"


class RecoveryCode(models.Model):
    """A code that replaces one from the app on the phone, and works only once. The table holds a hash of it."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="recovery_codes")
    code_hash = models.CharField(max_length=64)
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"Recovery code of {self.user}"


class OutsideIdentity(models.Model):
    """Who a person is at the provider of OpenID Connect, or in the directory, with which they sign in."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="outside_identities")
    provider = models.CharField(max_length=10, choices=[(OIDC, "provider"), (LDAP, "directory")])
    subject = models.CharField(max_length=300)  # "ISSUER SUBJECT", or the distinguished name in the directory.
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "outside identities"
        constraints = [models.UniqueConstraint(fields=["provider", "subject"], name="outside_identity_once")]

    def __str__(self) -> str:
        return f"{self.user} at {self.provider}"
