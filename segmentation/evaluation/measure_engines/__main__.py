"""The command `python -m segmentation.evaluation.measure_engines {papers,long-video,runtimes,metrics}`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from segmentation.evaluation.measure_engines import long_video, metrics, papers, runtimes
from segmentation.evaluation.package import BenchmarkPackageMissing

MEASUREMENTS = {"papers": papers, "long-video": long_video, "runtimes": runtimes, "metrics": metrics}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m segmentation.evaluation.measure_engines",
        description="Measure what engines cost on this machine.",
    )
    commands = parser.add_subparsers(title="measurements", dest="measurement", required=True)
    for name, module in MEASUREMENTS.items():
        description = module.__doc__ or ""
        command = commands.add_parser(name, help=description.partition("\n")[0], description=description)
        module.add_arguments(command)
    options = parser.parse_args(arguments)
    try:
        return MEASUREMENTS[options.measurement].run(options)
    except (ValueError, OSError, BenchmarkPackageMissing) as error:
        print(f"{options.measurement}: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
