"""Seconds a frame and peak memory of every engine at the paper's size.

`python -m segmentation.evaluation.measure_engines.papers` takes the arguments of its parts (--threads, --frames,
--objects) and runs each in a process of its own, so that each has its own peak memory.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

PARTS = (
    ("segmentation.evaluation.measure_engines.stm_and_ipn", "--engine", "stm"),
    ("segmentation.evaluation.measure_engines.stm_and_ipn", "--engine", "stm-semi"),
    ("segmentation.evaluation.measure_engines.stm_and_ipn", "--engine", "ipn"),
    ("segmentation.evaluation.measure_engines.manet",),
    ("segmentation.evaluation.measure_engines.strnn",),
)


def main(arguments: Sequence[str] | None = None) -> int:
    extra = list(sys.argv[1:] if arguments is None else arguments)
    failed = 0
    for module, *own in PARTS:
        print(f"--- {' '.join((module.rsplit('.', 1)[-1], *own))} ---", flush=True)
        failed |= subprocess.run([sys.executable, "-m", module, *own, *extra], check=False).returncode
    return failed


if __name__ == "__main__":
    sys.exit(main())
