"""The Django app of user accounts, of API tokens, and of the ways in which people sign in."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "webapp.accounts"
    label = "accounts"
