"""The rows of the table of faults, and how they are printed."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

HEADER = f"{'fault':<62} {'tries':>6} {'losses':>7} {'worst':>8}"


@dataclass(frozen=True)
class Row:
    """A fault: how often it was made, how much was lost, and the longest time in seconds from the beginning of a try
    until everything worked again.
    """

    fault: str
    tries: int
    losses: int
    worst: float
    note: str = ""

    def __str__(self) -> str:
        return f"{self.fault:<62} {self.tries:>6} {self.losses:>7} {self.worst:>6.1f} s {self.note}".rstrip()


def repeat(fault: str, tries: int, attempt: Callable[[int], int]) -> Row:
    """Cause a fault `tries` times. `attempt(number)` causes it, waits until everything works again, and returns how
    much was lost.

    An attempt that raises an exception counts as one loss, and is the last.
    """
    losses, worst, note = 0, 0.0, ""
    for number in range(tries):
        began = time.monotonic()
        try:
            losses += attempt(number)
        except Exception as error:
            losses, tries, note = losses + 1, number + 1, f"{type(error).__name__}: {str(error)[:200]}"
            break
        finally:
            worst = max(worst, time.monotonic() - began)
    return Row(fault, tries, losses, worst, note)
