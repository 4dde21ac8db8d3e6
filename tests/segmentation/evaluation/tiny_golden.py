"""Makes golden cases for small networks, to test the golden comparison itself, without numbers of the official code.

The cases have no state_dict.json, in which the official keys and shapes would be: so networks of any size can be used.
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
    """Replace the networks of all systems in the golden comparison by small ones."""
    monkeypatch.setattr(ipn, "Inet", lambda: Inet(TINY_IPN))
    monkeypatch.setattr(ipn, "Pnet", lambda: Pnet(TINY_IPN))
    monkeypatch.setattr(manet, "MANet", lambda: MANet(TINY_MANET))
    monkeypatch.setattr(stm, "STM", lambda: STM(TINY_STM))
    monkeypatch.setattr(stm_interactive, "InteractiveSTM", lambda: InteractiveSTM(TINY_STM))


def save_arrays(path: Path, arrays: Mapping[str, Array]) -> None:
    np.savez(path, **arrays)  # type: ignore[arg-type]  # its type stub mistakes every name for the flag allow_pickle


def tiny_case(root: Path, system: str, objects: int = 2, size: tuple[int, int] = (64, 80)) -> Case:
    """Write the inputs of a golden case of `system` below `root`, without golden arrays, and return the case."""
    case = Case(root / system, LETTER)
    case.folder.mkdir(parents=True)
    labels = rules.make_labels(LENGTH, *size, objects)
    arrays: dict[str, Array] = {"frames": rules.make_video(LENGTH, *size, case.seed), "labels": labels}
    for frame in (2, 4):
        arrays[f"scribble_f{frame}"] = rules.make_scribble(labels[frame], objects)
    save_arrays(case.inputs_path, arrays)
    return case


def with_golden(case: Case, arrays: dict[str, Array] | None = None) -> Case:
    """Write `arrays` as the golden arrays of a case; None: those that the golden comparison computes for it now."""
    if arrays is None:
        # Arrays are copied at once, because some are views of memory that later rounds overwrite.
        arrays = {name: array.copy() for name, array in program_of(case.system)(case)}
    save_arrays(case.golden_path, arrays)
    return Case(case.folder, case.letter)
