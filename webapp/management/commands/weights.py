"""`manage.py weights list | add FILE | check [NAME]`: show, add and check the checkpoints of the engines."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from webapp.inference import runner


class Command(BaseCommand):
    help = "List the weights of the engines, add a checkpoint, or check that the weights load."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=False)
        actions.add_parser("list", help="list the weights that are there, and the places of those that are missing")
        add = actions.add_parser(
            "add", help="check a checkpoint and copy it to the folder in which engines look for weights"
        )
        add.add_argument("file", type=Path)
        check = actions.add_parser("check", help="load the weights as an engine does")
        check.add_argument("name", nargs="?", help="name of one network, as `list` shows it")

    def handle(self, *args: Any, action: str | None, **options: Any) -> None:
        if action in (None, "list"):
            self._list()
        elif action == "add":
            self._add(options["file"])
        else:
            self._check(options["name"])

    def _list(self) -> None:
        for state in runner.weights_states():
            if state.path is None:
                self.stdout.write(f"{state.network:<10} missing     {state.sentence}")
            else:
                note = f" ({state.sentence})" if state.sentence else ""
                self.stdout.write(f"{state.network:<10} {_megabytes(state.size):>9}   {state.path}{note}")

    def _add(self, file: Path) -> None:
        if not file.is_file():
            self._refuse(f"{file} is no file.")
        try:
            added = runner.add_weights(file)
        except (ValueError, OSError) as error:
            self._refuse(str(error))
        self.stdout.write(f"Added {added}.")

    def _check(self, name: str | None) -> None:
        states = runner.weights_states()
        known = [state.network for state in states]
        if name is not None and name not in known:
            self._refuse(f"There is no network {name!r}; there are {', '.join(known)}.")
        wanted = [name] if name else [state.network for state in states if state.path]
        if not wanted:
            self.stdout.write("There are no weights to check.")
        wrong = [network for network in wanted if not self._is_sound(network)]
        if wrong:
            sys.exit(1)

    def _is_sound(self, network: str) -> bool:
        try:
            checksum = runner.check_weights(network)
        except ValueError as error:
            self.stdout.write(self.style.ERROR(f"{network:<10} WRONG  {error}"))
            return False
        self.stdout.write(f"{network:<10} ok     sha256 {checksum}")
        return True

    def _refuse(self, sentence: str) -> None:
        self.stderr.write(sentence)
        sys.exit(2)


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
