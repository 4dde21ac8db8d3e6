"""Measures how well confidence predicts J: the mean J of masks with about the same confidence."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmentation.evaluation.plots import COLORS, dark, svg

BINS = 10


def measure(confidence: NDArray[np.floating], j: NDArray[np.floating], bins: int = BINS) -> dict[str, Any]:
    """Compare the confidence of M masks with their true J, both [M] in 0..1.

    Returns the number of masks ("count"), the expected calibration error ("ece": the mean distance between confidence
    and J over bins of equal width, each weighted by its masks), the correlation ("correlation"), and for each bin that
    has masks its mean confidence, mean J and number of masks ("bins").
    """
    number = np.minimum((confidence * bins).astype(int), bins - 1)
    rows = []
    for each in range(bins):
        inside = number == each
        if inside.any():
            rows.append((float(confidence[inside].mean()), float(j[inside].mean()), int(inside.sum())))
    error = sum(count * abs(sure - true) for sure, true, count in rows) / len(j)
    both_vary = len(j) > 1 and np.std(confidence) > 0 and np.std(j) > 0
    correlation = float(np.corrcoef(confidence, j)[0, 1]) if both_vary else 0.0
    return {"count": len(j), "ece": float(error), "correlation": correlation, "bins": rows}


def draw(report: dict[str, dict[str, Any]]) -> str:
    """Return an SVG with a reliability curve (J over confidence) for each result of `measure` in `report`, by name."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.2, 5.0), facecolor="#14171b")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="#e6e9ee", linewidth=0.8, linestyle="--", label="true")
    for color, (name, figures) in zip(COLORS, report.items(), strict=False):
        sure, true, _ = zip(*figures["bins"], strict=True)
        label = f"{name.replace('_', ' ')} (calibration error {figures['ece']:.3f})"
        axes.plot(sure, true, color=color, marker="o", markersize=4, label=label)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.set_xlabel("confidence")
    axes.set_ylabel("mean J")
    axes.set_facecolor("#14171b")
    dark(axes)
    return svg(figure)
