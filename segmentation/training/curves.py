"""Draws loss and validation curves of a run: `python -m segmentation.training.curves OUT` writes OUT/curves.svg."""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from segmentation.evaluation.plots import COLORS, dark, svg
from segmentation.training.loop import LOG, LOG_EVERY

SMOOTH = 0.9  # decay of the running mean that is drawn as a thick line


def read_log(path: Path) -> dict[str, tuple[list[float], list[float]]]:
    """Read the log of a run: for each logged quantity, the hours since the start and the values.

    Raises ValueError if the file is not such a log.
    """
    found: dict[str, tuple[list[float], list[float]]] = defaultdict(lambda: ([], []))
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        pairs = [entry.partition("=") for entry in line.split(",")]
        try:
            values = {key: float(value) for key, _, value in pairs}
            hours = values.pop("hours")
        except (ValueError, KeyError) as error:
            raise ValueError(f"{path}, line {number}: not a line of a training log") from error
        for key, value in values.items():
            found[key][0].append(hours)
            found[key][1].append(value)
    return dict(found)


def draw(path: Path) -> str:
    """Return an SVG of a log: the loss (above), and the scores in training and validation (below), over hours.

    Raises ValueError if the file is not such a log or has no loss yet, or if matplotlib, an optional package, is not
    installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        again = "python -m segmentation.training.curves"
        raise ValueError(f"matplotlib is not installed: pip install matplotlib, then {again} {path.parent}") from None

    log = read_log(path)
    if "loss" not in log:
        raise ValueError(f"{path} has no loss yet: a run notes it every {LOG_EVERY} steps")
    figure = Figure(figsize=(7.2, 6.4), facecolor="#14171b")
    above, below = figure.subplots(2, 1, sharex=True)
    hours, loss = log["loss"]
    above.plot(hours, loss, color=COLORS[2], alpha=0.3, linewidth=0.8)
    above.plot(hours, _running_mean(loss), color=COLORS[2], label="loss")
    above.set_ylabel("loss")
    objectives = [key for key in log if key.startswith("j_")]
    for color, key in zip(COLORS, objectives, strict=False):
        below.plot(log[key][0], _running_mean(log[key][1]), color=color, linewidth=0.9, label=f"J {key[2:]}")
    for marker, key in zip("osD^v", (key for key in log if key.startswith("val_round")), strict=False):
        below.plot(*log[key], color="#e6e9ee", marker=marker, markersize=4, label=f"J&F {key[4:].replace('_', ' ')}")
    below.set_ylim(0, 1)
    below.set_ylabel("score")
    below.set_xlabel("hours")
    for axes in (above, below):
        axes.set_facecolor("#14171b")
        dark(axes)
    return svg(figure)


def _running_mean(values: list[float]) -> NDArray[np.float64]:
    mean = np.array(values)
    for index in range(1, len(mean)):
        mean[index] = SMOOTH * mean[index - 1] + (1 - SMOOTH) * mean[index]
    return mean


def main(arguments: list[str] | None = None) -> int:
    parse = argparse.ArgumentParser(prog="python -m segmentation.training.curves", description=__doc__)
    parse.add_argument("out", type=Path, help="folder of a training run")
    args = parse.parse_args(arguments)
    try:
        target = args.out / "curves.svg"
        target.write_text(draw(args.out / LOG))
    except (OSError, ValueError) as error:
        print(f"curves: {error}", file=sys.stderr)
        return 2
    print(target)
    return 0


if __name__ == "__main__":
    sys.exit(main())
