"""Tests of `manage.py weights`, which lists, adds and checks the weights of networks."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import call_command

from tests.segmentation.engines.stm.tiny import write_weights


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MASKWRIGHT_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setattr("segmentation.weights.ENGINES_FOLDER", tmp_path / "shipped")
    return tmp_path / "weights"


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    made = tmp_path / "made"
    made.mkdir()
    return Path(write_weights(made)) / "stm.safetensors"


def test_it_says_where_missing_weights_go(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("weights", "list")
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("stm ")]
    assert "missing" in lines[0]
    assert str(folder) in lines[0]


def test_what_is_added_is_listed_and_sound(tiny: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("weights", "add", str(tiny))
    assert (folder / "stm.safetensors").read_bytes() == tiny.read_bytes()
    call_command("weights", "list")
    call_command("weights", "check")
    out = capsys.readouterr().out
    assert "MB" in out
    assert "sha256" in out


def test_a_file_that_is_no_checkpoint_is_refused(
    tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "notes.pth").write_text("hello")
    with pytest.raises(SystemExit) as caught:
        call_command("weights", "add", str(tmp_path / "notes.pth"))
    assert caught.value.code == 2
    assert "notes.pth" in capsys.readouterr().err
    assert not folder.exists()


def test_a_file_that_is_not_there_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        call_command("weights", "add", str(tmp_path / "nowhere.pth"))
    assert "is no file" in capsys.readouterr().err


def test_a_damaged_file_fails_the_check(tiny: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("weights", "add", str(tiny))
    added = folder / "stm.safetensors"
    added.write_bytes(added.read_bytes()[:-1] + b"?")
    with pytest.raises(SystemExit) as caught:
        call_command("weights", "check")
    assert caught.value.code == 1
    assert "changed since it was added" in capsys.readouterr().out


def test_an_unknown_name_lists_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        call_command("weights", "check", "stn")
    assert "stm-semi" in capsys.readouterr().err
