"""Users, and the one-time links with which they sign in without a password."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    """A person. Others see `name`, or the user name if `name` is empty."""

    name = models.CharField(max_length=120, blank=True)

    @property
    def shown_name(self) -> str:
        return self.name or self.username


class SignInLink(models.Model):
    """A link that signs its user in once. The table holds a hash of the token, not the token."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sign_in_links")
    token_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.user} until {self.expires_at:%Y-%m-%d %H:%M}"
