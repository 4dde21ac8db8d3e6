"""`make bench-faults`: print a table of faults, tries, losses and seconds. Exit status 1: something was lost."""

# ruff: noqa: E402 (Django is set up before anything that needs it is imported)

from __future__ import annotations

import argparse
import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from tests.faults import one_machine, services, table, team


def main() -> int:
    parser = argparse.ArgumentParser(description="Make faults on purpose, on this machine only, and count losses.")
    parser.add_argument("--short", action="store_true", help="few tries, one machine: less than a minute")
    parser.add_argument("--tries", type=int, default=10, help="how often each fault of a team's site is made (10)")
    arguments = parser.parse_args()
    short = arguments.short
    print(table.HEADER)
    losses = 0
    for row in one_machine.faults(short=short):
        print(row, flush=True)
        losses += row.losses
    if not short and services.available():
        for row in team.faults(arguments.tries):
            print(row, flush=True)
            losses += row.losses
    elif not short:
        print("Redis or Postgres is not installed here: the faults of a team's site are left out.")
    print("Nothing was lost." if not losses else f"{losses} losses.")
    return 1 if losses else 0


if __name__ == "__main__":
    sys.exit(main())
