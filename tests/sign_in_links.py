"""Makes sign-in links for tests, by `manage.py sign_in_link --create` in a process that stays.

`python -m tests.sign_in_links` reads user names, one a line, and prints a link for each. A new process for each link
would take seconds.
"""

from __future__ import annotations

import sys

import django
from django.core.management import call_command
from django.db import connection


def main() -> None:
    django.setup()
    for username in iter(sys.stdin.readline, ""):
        call_command("sign_in_link", username.strip(), create=True)
        sys.stdout.flush()
        connection.close()  # A test may put another database in the place of this one.


if __name__ == "__main__":
    main()
