"""The Django app of user accounts, of API tokens, and of the ways in which people sign in."""

from importlib import import_module

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "webapp.accounts"
    label = "accounts"

    def ready(self) -> None:
        import_module("webapp.accounts.sessions")  # The import connects the signal of Django's sign-in.
