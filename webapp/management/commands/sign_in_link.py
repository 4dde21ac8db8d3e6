"""`manage.py sign_in_link USERNAME`: print a one-time sign-in link, making the account first where asked to."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from webapp.accounts.links import make_link
from webapp.accounts.models import User
from webapp.process.home_lock import HomeLock


class Command(BaseCommand):
    help = "Print a link that signs a user in, once and within two days."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--create", action="store_true", help="make the account when there is none")
        parser.add_argument("--superuser", action="store_true", help="with --create: may use the admin page")
        parser.add_argument("--address", help="where the site is reached, e.g. https://masks.example.org")

    def handle(self, *args: Any, username: str, address: str | None, **options: Any) -> None:
        user = User.objects.filter(username=username).first()
        if user is None and options["create"]:
            user = _make_user(username, superuser=options["superuser"])
        if user is None:
            raise CommandError(f"There is no user called {username}. Add --create to make one.")
        if not user.is_active:
            raise CommandError(f"{username} is switched off: a superuser can switch the account on again.")
        self.stdout.write((address or _own_address()).rstrip("/") + make_link(user=user))


def _own_address() -> str:
    """Where the studio of this data folder is reached; where it would be when none runs."""
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
