"""Imports the optional package `davisinteractive` (GPL-3.0) with patches for current versions of its libraries.

It was written for numpy 1, networkx 2, pandas 1 and scikit-image 0.18. A comment at each patch says what it is for.
"""

from __future__ import annotations

import importlib
from functools import cache, partial
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

KERNEL_SIZE = 0.2  # parameter of the robot in the challenge; the default of the robot's class is 0.15
HOW_TO_INSTALL = (
    "The benchmark needs the extra 'evaluation': pip install 'maskwright[evaluation]' and then "
    "pip install --no-build-isolation --no-deps davisinteractive==1.0.4"
)


class BenchmarkPackageMissing(RuntimeError):
    """The optional package is not installed. The message says how to install it."""


class Package(NamedTuple):
    """The patched modules of davisinteractive that the benchmark uses."""

    session: ModuleType
    dataset: Any  # the class Davis
    robot: ModuleType
    metrics: ModuleType
    service: ModuleType
    scribbles: ModuleType


@cache
def davisinteractive() -> Package:
    """Import and patch the package. Raises BenchmarkPackageMissing if it or one of its libraries is not installed."""
    for name, standin in (("int", int), ("float", float), ("trapz", np.trapezoid)):
        if name not in np.__dict__:  # removed in numpy 1.24 and 2.0; the package reads them when it is imported
            setattr(np, name, standin)
    try:
        networkx: Any = importlib.import_module("networkx")
        if not hasattr(networkx, "from_scipy_sparse_matrix"):  # renamed in networkx 3
            networkx.from_scipy_sparse_matrix = networkx.from_scipy_sparse_array
        robot: Any = importlib.import_module("davisinteractive.robot.interactive_robot")
        package = Package(
            session=importlib.import_module("davisinteractive.session.session"),
            dataset=importlib.import_module("davisinteractive.dataset.davis").Davis,
            robot=robot,
            metrics=importlib.import_module("davisinteractive.metrics.jaccard"),
            service=importlib.import_module("davisinteractive.evaluation.service"),
            scribbles=importlib.import_module("davisinteractive.utils.scribbles"),
        )
    except ImportError as error:
        raise BenchmarkPackageMissing(f"{HOW_TO_INSTALL} (missing: {error.name})") from error
    # Since scikit-image 0.19 the medial axis breaks ties at random. With a fixed seed the robot is repeatable.
    robot.medial_axis = partial(importlib.import_module("skimage.morphology").medial_axis, rng=0)
    _mend_summary(package.service.EvaluationService)
    return package


def _mend_summary(service: Any) -> None:
    """Patch the summary of davisinteractive to convert columns to numbers first: pandas 2 averages numbers only."""
    summarize = service.summarize_report

    def summarize_report(self: Any, report: Any) -> Any:
        numbers = {"jaccard": float, "contour": float, "j_and_f": float, "timing": float, "frame": int}
        report = report.drop(columns=["session_id"], errors="ignore").astype(numbers)
        return summarize(self, report.astype({"interaction": int, "scribble_idx": int, "object_id": int}))

    service.summarize_report = summarize_report


def make_robot(kernel_size: float = KERNEL_SIZE) -> Any:
    """Return the challenge's robot, whose `interact(sequence, predicted, truth, nb_objects, frame)` draws scribbles."""
    return davisinteractive().robot.InteractiveScribblesRobot(
        kernel_size=kernel_size, max_kernel_radius=16, min_nb_nodes=4, nb_points=1000
    )
