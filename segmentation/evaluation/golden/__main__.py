"""The command `python -m segmentation.evaluation.golden DIR [--case a] [--system stm]`."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from segmentation import registry
from segmentation.evaluation.golden.case import Case, Compute, GoldenError, Row, compare

# The dotted path of the function that yields the arrays of a system, by the system's name, which is also its folder.
SYSTEMS = registry.golden_systems()
FILES = ("[a-z].npz", "inputs_*.npz")  # patterns of the files with the golden arrays and with the inputs of a case


def program_of(system: str) -> Compute:
    """Return the function that computes the arrays of a system from a case.

    Raises GoldenError for an unknown system, with a list of the known ones.
    """
    if system not in SYSTEMS:
        raise GoldenError(f"no program for {system!r}, known are {', '.join(SYSTEMS)}")
    compute: Compute = registry.load(SYSTEMS[system])
    return compute


def find_cases(root: Path, systems: Sequence[str], letter: str | None = None) -> list[Case]:
    """Find the cases of the systems in the folder `root`, only those called `letter` if that is given.

    Raises GoldenError if there are none.

    A case that lacks one of its files is returned too, and `compare` reports the missing file.
    """
    found = []
    for system in systems:
        paths = [path for pattern in FILES for path in (root / system).glob(pattern)]
        letters = {path.stem.removeprefix("inputs_") for path in paths}
        found += [Case(root / system, name) for name in sorted(letters) if letter in (None, name)]
    if not found:
        wanted = f"case {letter!r}" if letter else "a case"
        expected = "<system>/<letter>.npz with inputs_<letter>.npz"
        raise GoldenError(f"{root}: holds no {wanted} of {', '.join(systems)} (expected {expected})")
    return found


def check(cases: Sequence[Case]) -> bool:
    """Print a row for each array and a summary for each case. Return whether all arrays are within tolerance."""
    print(f"{'system':<18} {'array':<34} {'max error':>10}  ok")
    verdicts = []
    for case in cases:
        start = time.perf_counter()
        rows = []
        with torch.inference_mode():
            for row in compare(case, program_of(case.system)):
                rows.append(row)
                print(_line(case, row), flush=True)
        for name in sorted(case.absent):
            print(f"{_title(case):<18} {name} is not there, so what it says was not checked")
        verdicts += [row.ok for row in rows]
        missed, seconds = sum(not row.ok for row in rows), time.perf_counter() - start
        print(f"{_title(case):<18} {len(rows)} arrays, {missed} missed, {seconds:.1f} s\n", flush=True)
    return all(verdicts)


def _title(case: Case) -> str:
    return f"{case.system}/{case.letter}"


def _line(case: Case, row: Row) -> str:
    return f"{_title(case):<18} {row.name:<34} {row.error:>10.1e}  {'ok' if row.ok else 'MISS'} {row.note}".rstrip()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m segmentation.evaluation.golden", description=__doc__)
    parser.add_argument("folder", type=Path, help="a folder of systems, each with <letter>.npz and inputs_<letter>.npz")
    parser.add_argument("--case", help="one letter; default: every case found")
    parser.add_argument("--system", choices=list(SYSTEMS), action="append", help="default: all")
    options = parser.parse_args(arguments)
    try:
        held = check(find_cases(options.folder, options.system or list(SYSTEMS), options.case))
    except GoldenError as error:
        print(error, file=sys.stderr)
        return 2
    print("exact: every array is within its tolerance" if held else "NOT exact: see the rows marked MISS")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
