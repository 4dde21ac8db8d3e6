"""`manage.py sign_in_link USERNAME`: print a one-time sign-in link, and with `--create` make the account first."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from webapp.accounts.links import make_link
from webapp.accounts.models import User
from webapp.accounts.second_factor import turn_off
from webapp.process.home_lock import HomeLock


class Command(BaseCommand):
    help = "Print a link that signs a user in. It works once, and for two days."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--create", action="store_true", help="create the account if it does not exist")
        parser.add_argument(
            "--superuser", action="store_true", help="with --create: the account may use the admin pages"
        )
        parser.add_argument(
            "--second-factor-off",
            action="store_true",
            help="turn off the second factor of a user who has lost the phone and the recovery codes",
        )
        parser.add_argument("--address", help="address of the site, such as https://masks.example.org")

    def handle(self, *args: Any, username: str, address: str | None, **options: Any) -> None:
        user = User.objects.filter(username=username).first()
        if user is None and options["create"]:
            user = _make_user(username, superuser=options["superuser"])
        if user is None:
            raise CommandError(f"There is no user called {username}. Add --create to make one.")
        if not user.is_active:
            raise CommandError(f"{username} is switched off: a superuser can switch the account on again.")
        if options["second_factor_off"] and not turn_off(user=user, by=None):
            raise CommandError(f"{username} has no second factor.")
        self.stdout.write((address or _own_address()).rstrip("/") + make_link(user=user))


def _own_address() -> str:
    """Return the address at which Maskwright runs on this data folder, or at which `serve` would start it."""
    holder = HomeLock(settings.HOME, "studio").holder()
    if holder is not None and holder.address:
        return holder.address
    return f"http://{settings.CONFIG['MASKWRIGHT_HOST']}:{settings.CONFIG['MASKWRIGHT_PORT']}"


def _make_user(username: str, *, superuser: bool) -> User:
    user = User(username=username, is_superuser=superuser, is_staff=superuser)
    user.set_unusable_password()
    try:
        user.full_clean(exclude=["password"])
    except ValidationError as error:
        raise CommandError(" ".join(error.messages)) from None
    user.save()
    return user
