"""`python -m tests.latency` measures the page and the web process. The exit status is 1 if a target is missed."""

# ruff: noqa: E402 (Django is set up before anything that needs it is imported)

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from tests.latency import large, page, web_process
from tests.latency.figures import Figure
from tests.studio import Studio


def measure(home: Path) -> Iterator[Figure]:
    for name, measure_page in (("work", page.measure_work), ("release", page.measure_release)):
        with Studio(home / name) as studio:
            yield from measure_page(studio)
    large.fill(home / "large")
    with Studio(home / "large") as studio:
        yield from page.measure_large(studio)
    yield from web_process.measure(home / "release")


def main() -> int:
    argparse.ArgumentParser(description="How fast the studio is on this machine.").parse_args()
    cores, load = os.cpu_count(), os.getloadavg()[0]
    print(f"{cores} cores, load {load:.1f} before the start" + (" (others use this machine)" if load > 1 else ""))
    missed = 0
    with tempfile.TemporaryDirectory(prefix="maskwright-latency-") as home:
        for figure in measure(Path(home)):
            print(figure, flush=True)
            missed += not figure.reached
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
