"""A measured value with its target, and how it is printed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np


@dataclass(frozen=True)
class Figure:
    """A measured value. `aim` is its target (None: it has none), and `better` says whether less or more is better."""

    name: str
    value: float
    unit: str
    aim: float | None = None
    better: Literal["less", "more"] = "less"
    note: str = ""

    @property
    def reached(self) -> bool:
        if self.aim is None:
            return True
        return self.value <= self.aim if self.better == "less" else self.value >= self.aim

    def __str__(self) -> str:
        aim = "" if self.aim is None else f"{'<=' if self.better == 'less' else '>='} {self.aim:g} {self.unit}"
        mark = "" if self.aim is None else ("ok" if self.reached else "MISSED")
        return f"{self.name:<58} {self.value:>9.3g} {self.unit:<5} {aim:<14} {mark:<7} {self.note}".rstrip()


def percentile(values: Sequence[float], which: float) -> float:
    return float(np.percentile(np.array(values), which))


def spread(values: Sequence[float]) -> str:
    """Return the smallest and the largest of `values` and their number as text, for the note of a figure."""
    return f"{min(values):.3g} to {max(values):.3g}, n = {len(values)}"
