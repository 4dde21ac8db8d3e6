"""Golden cases for small networks. They test how arrays are compared, not the official numbers.

The cases have no state_dict.json with the official names and shapes, so networks of any size get weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from segmentation.engines.ipn import golden as ipn
from segmentation.engines.ipn.network import Inet, Pnet
from segmentation.engines.manet import golden as manet
from segmentation.engines.manet.network import MANet
from segmentation.engines.stm import golden as stm
from segmentation.engines.stm import golden_interactive as stm_interactive
from segmentation.engines.stm.network import STM, InteractiveSTM
from segmentation.evaluation.golden import rules
from segmentation.evaluation.golden.__main__ import program_of
from segmentation.evaluation.golden.case import Array, Case
from tests.segmentation.engines.ipn.tiny import TINY as TINY_IPN
from tests.segmentation.engines.manet.tiny import TINY as TINY_MANET
from tests.segmentation.engines.stm.tiny import TINY as TINY_STM

LENGTH = 6
LETTER = "b"


def shrink(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the golden comparison of every system use small networks."""
    monkeypatch.setattr(ipn, "Inet", lambda: Inet(TINY_IPN))
    monkeypatch.setattr(ipn, "Pnet", lambda: Pnet(TINY_IPN))
    monkeypatch.setattr(manet, "MANet", lambda: MANet(TINY_MANET))
    monkeypatch.setattr(stm, "STM", lambda: STM(TINY_STM))
    monkeypatch.setattr(stm_interactive, "InteractiveSTM", lambda: InteractiveSTM(TINY_STM))


def save_arrays(path: Path, arrays: Mapping[str, Array]) -> None:
    np.savez(path, **arrays)  # type: ignore[arg-type]  # its type stub mistakes every name for the flag allow_pickle


def tiny_case(root: Path, system: str, objects: int = 2, size: tuple[int, int] = (64, 80)) -> Case:
    """Make a case that has inputs but no golden arrays."""
    case = Case(root / system, LETTER)
    case.folder.mkdir(parents=True)
    labels = rules.make_labels(LENGTH, *size, objects)
    arrays: dict[str, Array] = {"frames": rules.make_video(LENGTH, *size, case.seed), "labels": labels}
    for frame in (2, 4):
        arrays[f"scribble_f{frame}"] = rules.make_scribble(labels[frame], objects)
    save_arrays(case.inputs_path, arrays)
    return case


def with_golden(case: Case, arrays: dict[str, Array] | None = None) -> Case:
    """Add golden arrays to a case; by default those that its program computes now."""
    if arrays is None:
        # Arrays are copied at once, because some are views of memory that later rounds overwrite.
        arrays = {name: array.copy() for name, array in program_of(case.system)(case)}
    save_arrays(case.golden_path, arrays)
    return Case(case.folder, case.letter)
