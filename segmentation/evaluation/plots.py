"""Draws the curves of a benchmark report as SVG for report.html."""

from __future__ import annotations

import io
from typing import Any

COLORS = ("#ff7a45", "#2ec4b6", "#5b8cff", "#ffd166", "#c77dff", "#3ecf8e", "#ff5a5f", "#a6aebb")


def curves(report: dict[str, Any]) -> tuple[str, str]:
    """Plot J&F of all engines over time, as the challenge does, and over rounds. Returns two SVG strings."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    drawn = []
    for by_time in (True, False):
        figure = Figure(figsize=(6.4, 3.8), facecolor="#14171b")
        axes = figure.add_subplot(facecolor="#14171b")
        for color, (name, engine) in zip(COLORS * 9, report["engines"].items(), strict=False):
            if by_time:
                curve = engine["metrics"]["J_AND_F"]["curve"]
                axes.plot(curve["time"], curve["value"], color=color, label=name, marker="o", markersize=3)
            else:
                values = engine["by_round"]
                axes.plot(range(1, len(values) + 1), values, color=color, label=name, marker="o", markersize=3)
        if by_time and axes.get_xlim()[1] > 60:
            axes.axvline(60, color="#788292", linewidth=0.8, linestyle=":")
        axes.set_xlabel("seconds" if by_time else "round")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_ylabel("J&F")
        axes.set_ylim(0, 1)
        dark(axes)
        drawn.append(svg(figure))
    return drawn[0], drawn[1]


def dark(axes: Any) -> None:
    """Apply the dark colours of the report page to a plot."""
    axes.grid(color="#2c323b", linewidth=0.6)
    axes.tick_params(colors="#a6aebb")
    axes.xaxis.label.set_color("#a6aebb")
    axes.yaxis.label.set_color("#a6aebb")
    for spine in axes.spines.values():
        spine.set_color("#2c323b")
    axes.legend(facecolor="#1b1f25", edgecolor="#2c323b", labelcolor="#e6e9ee", fontsize=8, loc="lower right")


def svg(figure: Any) -> str:
    """Return a matplotlib figure as an SVG element. Equal figures give equal strings."""
    from matplotlib import rc_context

    figure.tight_layout()
    buffer = io.StringIO()
    with rc_context({"svg.hashsalt": "maskwright"}):  # without it, ids of elements are random
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]
