"""Tests how dataclasses that hold arrays are compared and hashed, and that signatures say the dtype of their arrays."""

import ast
import pkgutil
from collections.abc import Iterator
from dataclasses import is_dataclass
from importlib import import_module
from inspect import getmembers, isclass
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import numpy as np
import pytest
from torch import Tensor

import segmentation
from segmentation.types import Interaction, MaskUpdate, PastRound, Scribble

PACKAGE = Path(segmentation.__path__[0])
POINTS = np.array([[0.1, 0.2], [0.3, 0.4]])


def test_two_scribbles_are_equal_when_their_objects_and_points_are() -> None:
    assert Scribble(1, POINTS) == Scribble(1, POINTS.copy())
    assert Scribble(1, POINTS) != Scribble(2, POINTS)
    assert Scribble(1, POINTS) != Scribble(1, POINTS[:1])
    assert Scribble(1, POINTS) != Scribble(1, POINTS + 0.1)
    assert Scribble(1, POINTS) != "a scribble"
    assert Interaction(0, (Scribble(1, POINTS),)) == Interaction(0, (Scribble(1, POINTS.copy()),))


@pytest.mark.parametrize(
    "path", [POINTS.copy(), POINTS.astype(np.float16).astype(np.float64), np.array([[0.0, -0.0], [0.5, 1.0]])]
)
def test_equal_scribbles_have_the_same_hash(path: np.ndarray) -> None:
    same = Scribble(3, path + 0.0)
    assert Scribble(3, path) == same
    assert hash(Scribble(3, path)) == hash(same)
    assert len({Scribble(3, path), same, Scribble(4, path)}) == 2


def test_updates_and_past_rounds_are_compared_by_identity() -> None:
    labels = np.zeros((4, 6), np.uint8)
    update, other = MaskUpdate(0, labels, (1.0,)), MaskUpdate(0, labels, (1.0,))
    assert update == update
    assert update != other
    interaction = Interaction(0, (Scribble(1, POINTS),))
    assert PastRound("flow", (interaction,), 1, {0: labels}) != PastRound("flow", (interaction,), 1, {0: labels})


def dataclasses() -> Iterator[type]:
    for module in pkgutil.walk_packages(segmentation.__path__, "segmentation."):
        if module.name.endswith("__main__"):
            continue
        for _, member in getmembers(import_module(module.name), isclass):
            if is_dataclass(member) and member.__module__ == module.name:
                yield member


def holds_arrays(hint: Any) -> bool:
    if hint in (np.ndarray, Tensor) or get_origin(hint) is np.ndarray:
        return True
    return any(holds_arrays(argument) for argument in get_args(hint))


def test_no_dataclass_compares_arrays_as_if_they_were_one_truth() -> None:
    """No dataclass with array fields has the `==` that `dataclass` generates, which raises an exception for arrays."""
    wrong = [
        f"{found.__module__}.{found.__name__}"
        for found in dataclasses()
        if found.__dataclass_params__.eq  # type: ignore[attr-defined]
        and any(holds_arrays(hint) for hint in get_type_hints(found).values())
    ]
    assert not wrong, f"write eq=False: {', '.join(wrong)}"


def test_public_signatures_say_the_dtype_of_their_arrays() -> None:
    untyped = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}: {node.name}"
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_")
        if any("NDArray[Any]" in ast.unparse(part) for part in (node.args, node.returns) if part is not None)
    ]
    assert untyped == []
