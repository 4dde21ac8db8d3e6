"""The command `python -m segmentation.evaluation`: runs the DAVIS interactive benchmark on a data set in its layout."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from segmentation.engine import EngineSettings
from segmentation.evaluation.benchmark import run
from segmentation.evaluation.benchmark_run import EngineUnderTest, Protocol
from segmentation.evaluation.davis_folder import DavisFolder
from segmentation.evaluation.disturbance import DISTURBANCES
from segmentation.evaluation.package import BenchmarkPackageMissing
from segmentation.evaluation.semi import run_semi, semi_table
from segmentation.registry import DEFAULT_ENGINE, engine_spec, load_engines


def parser() -> argparse.ArgumentParser:
    parse = argparse.ArgumentParser(
        prog="python -m segmentation.evaluation",
        description="The robot of the DAVIS interactive challenge scribbles where an engine is worst, round by round.",
    )
    parse.add_argument("--davis-root", type=Path, required=True, help="folder with JPEGImages and Annotations")
    which = parse.add_mutually_exclusive_group()
    which.add_argument("--sequences", help="names, comma separated; default: all that have annotations")
    which.add_argument("--subset", help="names from ImageSets/2017/<subset>.txt")
    parse.add_argument("--resolution", help="folder below JPEGImages, where there are several (default: 480p)")
    parse.add_argument(
        "--engine",
        action="append",
        metavar="NAME[@LABEL]",
        help="an engine, or `default`; may be repeated, with labels for variants of the same engine",
    )
    parse.add_argument("--weights", action="append", default=[], metavar="[NAME=]FILE", help="checkpoint of an engine")
    parse.add_argument(
        "--set", action="append", default=[], dest="options", metavar="NAME.OPTION=VALUE", help="option of an engine"
    )
    parse.add_argument("--rounds", type=int, default=8, help="rounds for each sequence (8, at most 16)")
    parse.add_argument("--max-time", type=int, default=30, help="seconds for each object and round; 0 = no limit (30)")
    parse.add_argument(
        "--metric", choices=("J", "F", "J_AND_F"), default="J_AND_F", help="by which the robot chooses the worst frame"
    )
    parse.add_argument(
        "--next",
        choices=("worst", "advised"),
        default="worst",
        help="the frame to correct: the worst by the ground truth, or the one that the engine's confidence advises",
    )
    parse.add_argument(
        "--clock",
        choices=("wall", "processor"),
        default="wall",
        help="count seconds by the clock, or processor time of all threads, for a machine that runs other programs too",
    )
    parse.add_argument(
        "--semi", action="store_true", help="no robot: the true mask of the first frame is given, J and F are printed"
    )
    parse.add_argument(
        "--disturb",
        choices=DISTURBANCES,
        help="with --semi: replace the middle frame by a black, a white or another sequence's frame",
    )
    parse.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    parse.add_argument(
        "--out", type=Path, required=True, help="folder for report.json, report.html and CSV files (--semi: semi.json)"
    )
    return parse


def engines_under_test(args: argparse.Namespace) -> list[EngineUnderTest]:
    """Return the engines named on the command line, with their weights and options.

    Raises:
        ValueError: an engine is unknown, a weight file does not exist, an option is malformed, or weights or an option
            name no engine of this run.
    """
    plugin = os.environ.get("MASKWRIGHT_ENGINES") or None
    if plugin:
        load_engines(plugin)
    weights = dict(_weights(text) for text in args.weights)
    options = [_option(text) for text in args.options]
    asked = list(dict.fromkeys(args.engine or ["default"]))
    found = []
    for label in asked:
        name = label.partition("@")[0]
        spec = engine_spec(name)
        path = weights.get(label, weights.get(name, weights.get("")))
        if path is not None and not Path(path).is_file():
            raise ValueError(f"--weights: {path} does not exist")
        settings = EngineSettings(device=args.device, weights=path)
        own = {key: value for target, key, value in options if target in (label, name)}
        found.append(EngineUnderTest(label, spec.name, settings, own, plugin))
    known = {c.label for c in found} | {c.label.partition("@")[0] for c in found}
    for target in weights:
        if target and target not in known:
            raise ValueError(
                f"--weights {target}={weights[target]}: {target} is not among the engines that were asked for: "
                f"{', '.join(sorted(known))}"
            )
    for target, key, _ in options:
        if target not in known:
            raise ValueError(f"--set {target}.{key}: {target} is not among the engines that were asked for")
    return found


def _weights(text: str) -> tuple[str, str]:
    name, separator, path = text.partition("=")
    return (name, path) if separator else ("", text)


def _option(text: str) -> tuple[str, str, Any]:
    """Parse an option of an engine: `manet.window=9` to ("manet", "window", 9).

    A value that is not valid JSON is taken as a string. Raises ValueError for a text of another form.
    """
    where, separator, given = text.partition("=")
    target, dot, key = where.rpartition(".")
    if not (separator and dot and target and key):
        raise ValueError(f"--set {text}: wanted NAME.OPTION=VALUE")
    try:
        return target, key, json.loads(given)
    except json.JSONDecodeError:
        return target, key, given


def main(arguments: list[str] | None = None) -> int:
    args = parser().parse_args(arguments)
    try:
        if not 1 <= args.rounds <= 16:
            raise ValueError(f"--rounds {args.rounds}: the package plays 1 to 16")
        if args.max_time < 0 or args.rounds * args.max_time > 600:
            raise ValueError(f"--max-time {args.max_time}: all rounds together have at most 600 seconds an object")
        folder = DavisFolder(args.davis_root, args.resolution)
        names = args.sequences.split(",") if args.sequences else folder.names(args.subset)
        entered, named = engines_under_test(args), bool(args.sequences or args.subset)
        if args.disturb and not args.semi:
            raise ValueError("--disturb needs --semi: the robot's rounds show every frame as it is")
        if args.semi:
            report = run_semi(folder, names, entered, args.out, args.disturb, only_these=named)
        else:
            protocol = Protocol(args.rounds, args.max_time or None, args.metric, args.next, args.clock)
            report = run(folder, names, entered, protocol, args.out, only_these=named)
    except (ValueError, BenchmarkPackageMissing) as error:
        print(f"evaluation: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        kept = "nothing is kept with --semi" if args.semi else "the same command keeps the runs that were finished"
        print(f"evaluation: stopped; {kept}", file=sys.stderr)
        return 130
    for sentence in report["left_out"].values():
        print(f"left out: {sentence}", file=sys.stderr)
    if args.semi:
        print(semi_table(report["engines"]))
        return 0
    print(table(report))
    print(f"report: {args.out / 'report.html'}")
    return 0


def table(report: dict[str, Any]) -> str:
    """Return the summary of a benchmark report as text, with one line for each engine."""
    titles = f"{'AUC':>6} {'R-AUC':>6} {'@60s':>6} {'round 1':>8} {'last':>6} {'s/frame':>8} {'peak MB':>8} {'ECE':>6}"
    lines = [f"{'engine':<20} {titles}"]
    for name, e in report["engines"].items():
        first, last = e["by_round"][0], e["by_round"][-1]
        lines.append(
            f"{name:<20} {e['auc']:6.3f} {e['r_auc']:6.3f} {e['at_60s']:6.3f} {first:8.3f} {last:6.3f} "
            f"{e['seconds_a_frame']:8.3f} {e['peak_memory_bytes'] / 1e6:8.0f} {e['confidence']['ece']:6.3f}"
        )
    meaning = "R-AUC: area over rounds, without the clock; ECE: calibration error of the confidence against J"
    return "\n".join([*lines, f"(J&F; `default` is {DEFAULT_ENGINE}; {meaning})"])


if __name__ == "__main__":
    sys.exit(main())
