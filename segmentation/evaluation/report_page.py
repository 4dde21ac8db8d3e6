"""Writes the report of a benchmark as a web page, report.html, with all plots and images embedded."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from segmentation.evaluation.benchmark_run import Run
from segmentation.evaluation.davis_folder import Sequence
from segmentation.evaluation.figures import SAMPLE, read_report
from segmentation.evaluation.plots import curves
from segmentation.formats.label_png import davis_palette, read_labels

WORST_FRAMES = 3
STRIP_WIDTH = 300

STYLE = files("segmentation.evaluation").joinpath("report.css").read_text()


def write_page(path: Path, report: dict[str, Any], runs: list[Run], sequences: Mapping[str, Sequence]) -> None:
    """Write the page to `path`. Plots and images are embedded, so it needs no other file."""
    by_time, by_round = curves(report)
    protocol = report["protocol"]
    limit = f"{protocol['max_time']} s an object and round" if protocol["max_time"] else "no time limit"
    clock = "; seconds are processor time of all threads" if protocol["clock"] == "processor" else ""
    body = [
        "<h1>DAVIS interactive benchmark</h1>",
        f"<p>{len(sequences)} sequences, {protocol['rounds']} rounds, {limit}; "
        f"the robot looks at {protocol['metric']}{clock}.</p>",
        _engines_table(report["engines"]),
        f'<h2>Curves</h2><div class="curves">{by_time}{by_round}</div>',
        "<h2>By sequence (J&amp;F after round 1 and after the last)</h2>",
        _sequences_table(report["engines"]),
        "<h2>Worst frames after the last round</h2>",
        '<p class="legend"><i class="right"></i>right <i class="missed"></i>missed <i class="extra"></i>too much; '
        "lines are the scribbles of all rounds</p>",
        *(_strip(run, sequences[run.sequence]) for run in runs),
        "<h2>Machine</h2>",
        _machine(report["machine"]),
    ]
    head = f'<meta charset="utf-8"><title>DAVIS interactive benchmark</title><style>{STYLE}</style>'
    path.write_text(f'<!doctype html><html lang="en"><head>{head}</head><body>{"".join(body)}</body></html>')


def _engines_table(engines: dict[str, Any]) -> str:
    columns = (
        "AUC",
        "J&F@60s",
        "J@60s",
        "F@60s",
        "R-AUC",
        "round 1",
        "last round",
        "s a round",
        "s a frame",
        "peak MB",
    )
    rows = [
        [
            e["auc"],
            e["at_60s"],
            e["metrics"]["J"]["at_60s"],
            e["metrics"]["F"]["at_60s"],
            e["r_auc"],
            e["by_round"][0],
            e["by_round"][-1],
            float(np.mean(e["seconds_by_round"])),
            e["seconds_a_frame"],
            e["peak_memory_bytes"] / 1e6,
        ]
        for e in engines.values()
    ]
    formats = ("{:.3f}",) * 7 + ("{:.1f}", "{:.3f}", "{:.0f}")
    lines = [
        f"<tr><td>{escape(name)}</td>"
        + "".join(
            f"<td{_best(rows, c, row)}>{f.format(v)}</td>" for c, (f, v) in enumerate(zip(formats, row, strict=True))
        )
        + "</tr>"
        for name, row in zip(engines, rows, strict=True)
    ]
    return f"<table><tr><th>engine</th>{''.join(f'<th>{escape(c)}</th>' for c in columns)}</tr>{''.join(lines)}</table>"


def _best(rows: list[list[float]], column: int, row: list[float]) -> str:
    best = (max if column < 7 else min)(r[column] for r in rows)
    return ' class="best"' if len(rows) > 1 and row[column] == best else ""


def _sequences_table(engines: dict[str, Any]) -> str:
    names = sorted({name for e in engines.values() for name in e["sequences"]})
    head = "".join(f'<th colspan="2">{escape(name)}</th>' for name in engines)
    lines = []
    for name in names:
        cells = [e["sequences"][name] for e in engines.values()]
        shown = "".join(f"<td>{c['by_round'][0]:.3f}</td><td>{c['by_round'][-1]:.3f}</td>" for c in cells)
        facts = f"{cells[0]['frames']} frames, {cells[0]['objects']} object{'s' * (cells[0]['objects'] > 1)}"
        lines.append(f"<tr><td>{escape(name)} <small>({facts})</small></td>{shown}</tr>")
    return f"<table><tr><th>sequence</th>{head}</tr>{''.join(lines)}</table>"


def _strip(run: Run, sequence: Sequence) -> str:
    report = read_report(run)
    last = report[report["interaction"] == report["interaction"].max()]
    scores = last.groupby("frame")["j_and_f"].mean().sort_values()
    drawn = _scribbles(run)
    figures = []
    for frame, value in list(scores.items())[:WORST_FRAMES]:
        index = int(frame)
        labels = read_labels(run.out / "masks" / f"{index:05d}.png")
        picture = _picture(_read(sequence.frame_files[index]), sequence.truth[index], labels, drawn.get(index, []))
        figures.append(
            f'<figure><img alt="frame {index} of {escape(run.sequence)}" src="data:image/jpeg;base64,{picture}">'
            f"<figcaption>frame {index} · J&amp;F {value:.3f}</figcaption></figure>"
        )
    mean = last.groupby(SAMPLE)["j_and_f"].mean().mean()
    title = f"<p>{escape(run.engine.label)} · {escape(run.sequence)} · J&amp;F {mean:.3f}</p>"
    return f'{title}<div class="strip">{"".join(figures)}</div>'


def _scribbles(run: Run) -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = {}
    for entry in json.loads((run.out / "rounds.json").read_text()):
        for interaction in entry["interactions"]:
            found.setdefault(interaction["frame"], []).extend(interaction["scribbles"])
    return found


def _read(path: Path) -> NDArray[np.uint8]:
    """Read an image file with its channels in BGR order, uint8 [H, W, 3], for OpenCV."""
    bgr = cv2.imread(str(path))
    if bgr is None:
        raise ValueError(f"{path} cannot be read as an image")
    return bgr.astype(np.uint8, copy=False)


def _picture(
    bgr: NDArray[np.uint8], truth: NDArray[np.uint8], labels: NDArray[np.uint8], scribbles: list[dict[str, Any]]
) -> str:
    """Return the frame with mask, ground truth and scribbles drawn on it, as a base64 JPEG."""
    shown = bgr.astype(np.float32)
    for region, tint in (
        ((truth > 0) & (labels == truth), (142, 207, 62)),
        ((truth > 0) & (labels != truth), (93, 93, 255)),
        ((truth == 0) & (labels > 0), (255, 140, 91)),
    ):
        shown[region] = 0.5 * shown[region] + 0.5 * np.array(tint, np.float32)
    height, width = truth.shape
    canvas = np.ascontiguousarray(shown.astype(np.uint8))
    palette = davis_palette()
    for scribble in scribbles:
        points = (np.array(scribble["path"]) * (width - 1, height - 1)).astype(np.int32)
        number = scribble["object_id"]
        red, green, blue = (int(v) for v in palette[number]) if number else (255, 255, 255)
        color = (blue, green, red)
        cv2.polylines(canvas, [points.reshape(-1, 1, 2)], False, (0, 0, 0), 5, cv2.LINE_AA)
        cv2.polylines(canvas, [points.reshape(-1, 1, 2)], False, color, 2, cv2.LINE_AA)
    scale = min(1.0, 2 * STRIP_WIDTH / width)
    small = cv2.resize(canvas, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    _, encoded = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 82])
    return base64.b64encode(encoded.tobytes()).decode()


def _machine(machine: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {number}" for name, number in machine["versions"].items())
    made_on = f"{machine['processor']}, {machine['cores']} cores; {machine['system']}"
    return f"<p>{escape(made_on)}<br>{escape(versions)}</p>"
