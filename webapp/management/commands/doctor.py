"""`manage.py doctor`: checks this machine and says what to do about each problem."""

from __future__ import annotations

import sys
import textwrap
from typing import Any

from django.core.management.base import BaseCommand

from webapp.doctor import Finding, examine

MARKS = {"ok": "ok   ", "note": "note ", "wrong": "WRONG"}


class Command(BaseCommand):
    help = "Check everything that Maskwright needs on this machine. The exit status is 1 if something is wrong."

    def handle(self, *args: Any, **options: Any) -> None:
        wrong = 0
        for finding in examine():
            wrong += finding.state == "wrong"
            self._show(finding)
        if wrong:
            self.stdout.write(f"\n{wrong} {'thing is' if wrong == 1 else 'things are'} wrong.")
            sys.exit(1)
        self.stdout.write("\nNothing is wrong.")

    def _show(self, finding: Finding) -> None:
        style = {"ok": self.style.SUCCESS, "note": self.style.WARNING, "wrong": self.style.ERROR}[finding.state]
        first, *rest = [*wrapped(finding.text), *(f"-> {line}" for line in wrapped(finding.remedy))]
        self.stdout.write(f"{style(MARKS[finding.state])} {finding.topic:<22} {first}")
        for line in rest:
            self.stdout.write(" " * 29 + line)


def wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, 90, break_long_words=False, break_on_hyphens=False)
