"""A measured value with its target, and how it is printed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np


@dataclass(frozen=True)
class Figure:
    """A measured value. `aim` is its target (None: it has none), and `better` says whether less or more is better.

    NaN says that nothing was measured, which counts as a missed target, also for a figure without a target.
    """

    name: str
    value: float
    unit: str
    aim: float | None = None
    better: Literal["less", "more"] = "less"
    note: str = ""

    @property
    def reached(self) -> bool:
        if self.aim is None:
            return not math.isnan(self.value)
        return self.value <= self.aim if self.better == "less" else self.value >= self.aim

    def __str__(self) -> str:
        aim = "" if self.aim is None else f"{'<=' if self.better == 'less' else '>='} {self.aim:g} {self.unit}"
        mark = "MISSED" if not self.reached else "" if self.aim is None else "ok"
        return f"{self.name:<58} {self.value:>9.3g} {self.unit:<5} {aim:<14} {mark:<7} {self.note}".rstrip()


def percentile(values: Sequence[float], which: float) -> float:
    """Return a percentile of `values`, NaN if there are none."""
    return float(np.percentile(np.array(values), which)) if values else math.nan


def spread(values: Sequence[float]) -> str:
    """Return the smallest and the largest of `values` and their number as text, for the note of a figure."""
    return f"{min(values):.3g} to {max(values):.3g}, n = {len(values)}"
