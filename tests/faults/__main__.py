"""`make bench-faults`: print a table of faults, tries, losses and seconds.

The exit status is 1 if something was lost, and 2 if no fault was made, also because all were left out.
"""

# ruff: noqa: E402 (Django is set up before anything that needs it is imported)

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Iterator

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from tests.faults import hostile, hosts, one_machine, services, storage, table, team
from tests.faults.table import Row
from tests.studio import stop_on_sigterm

GROUPS = ("machine", "hostile", "storage", "team", "hosts", "team-storage")
TEAM = ("team", "hosts", "team-storage")  # These need Redis and Postgres.


def main() -> int:
    parser = argparse.ArgumentParser(description="Make faults on purpose, on this machine only, and count losses.")
    parser.add_argument("--only", choices=GROUPS, help="only the faults of this group")
    parser.add_argument("--short", action="store_true", help="few tries, one machine: less than a minute")
    parser.add_argument("--tries", type=int, default=10, help="tries of each fault, except in the group machine (10)")
    arguments = parser.parse_args()
    stop_on_sigterm()
    print(table.HEADER)
    losses = made = 0
    for row in rows(arguments):
        print(row, flush=True)
        losses, made = losses + row.losses, made + bool(row.tries)
    if not made:
        print("No fault was made.", file=sys.stderr)
        return 2
    print("Nothing was lost." if not losses else f"{losses} losses.")
    return 1 if losses else 0


def rows(arguments: argparse.Namespace) -> Iterator[Row]:
    """Cause the faults that the arguments ask for, and yield a row of the table of results for each."""
    tries, few = arguments.tries, min(arguments.tries, 3)
    groups: dict[str, Callable[[], Iterable[Row]]] = {
        "machine": lambda: one_machine.faults(short=arguments.short),
        "hostile": lambda: hostile.faults(tries),
        "storage": lambda: storage.faults(few),
        "team": lambda: team.faults(tries),
        "hosts": lambda: hosts.faults(tries),
        "team-storage": lambda: [storage.full_disks(team=True, tries=few)],
    }
    wanted = [name for name in GROUPS if arguments.only in (None, name)]
    if arguments.short:
        wanted = [name for name in wanted if name == "machine"]
    elif not services.available():
        print("Redis or Postgres is not installed here: the faults of a team's site are left out.")
        wanted = [name for name in wanted if name not in TEAM]
    for name in wanted:
        yield from groups[name]()


if __name__ == "__main__":
    sys.exit(main())
