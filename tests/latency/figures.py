"""Measured values with their targets, and how they are printed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np


@dataclass(frozen=True)
class Figure:
    """A measured value. `aim` is its target or None, and `better` says whether less or more is better."""

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
    """Format the smallest and largest value and the number of values, as a note to a figure."""
    return f"{min(values):.3g} to {max(values):.3g}, n = {len(values)}"
