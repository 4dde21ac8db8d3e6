"""Tests the program that compares the speed and the results of PyTorch and OpenVINO."""

import sys
from pathlib import Path

import pytest
import torch

from segmentation.evaluation.measure_engines.__main__ import main
from segmentation.evaluation.measure_engines.runtimes import shipped_parts
from segmentation.registry import networks


def test_parts_that_ship_give_answers_whatever_weights_people_added(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in networks():
        (tmp_path / f"{name}.safetensors").write_bytes(b"not these")
    monkeypatch.setenv("MASKWRIGHT_WEIGHTS", str(tmp_path))
    parts = shipped_parts()
    assert len(parts) > 1
    for name, module, x in parts:
        with torch.inference_mode():
            found = module.eval()(x)
        assert torch.isfinite(found).all(), name


def test_without_openvino_it_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    assert main(["runtimes"]) == 2
    assert "pip install openvino" in capsys.readouterr().err
