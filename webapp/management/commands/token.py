"""`manage.py token`: make a token with which scripts call the REST API."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from webapp.accounts.models import User
from webapp.accounts.tokens import make_token
from webapp.problems import Problem


class Command(BaseCommand):
    help = "Make a token with which scripts call the REST API as a user, and print it. It cannot be shown again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", help="the user as whom the script acts")
        parser.add_argument("name", help="what the token is for")
        parser.add_argument("--write", action="store_true", help="let the script change things, not only read")
        parser.add_argument("--project", type=int, action="append", metavar="ID", help="only this project; repeatable")
        parser.add_argument("--days", type=int, metavar="N", help="for so many days; without it, for good")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["username"]).first()
        if user is None:
            raise CommandError(f"There is no user {options['username']!r}.")
        if options["days"] is not None and not 1 <= options["days"] <= 3650:
            raise CommandError(f"--days is {options['days']}; it may be 1 to 3650.")
        try:
            _, secret = make_token(
                by=user,
                name=options["name"],
                projects=options["project"],
                may_write=options["write"],
                days=options["days"],
            )
        except Problem as problem:
            raise CommandError(problem.text) from None
        self.stdout.write(secret)
