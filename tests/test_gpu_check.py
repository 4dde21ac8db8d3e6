"""Tests that `make gpu-check` exits with 1 if a check fails, and that training can read its generated videos."""

from __future__ import annotations

from pathlib import Path

import pytest

from segmentation.training.sources import find_sources
from tests import gpu_check


def test_a_check_that_misses_fails_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missed() -> str:
        raise gpu_check.Missed("2.000 s a frame")

    monkeypatch.setattr(gpu_check.torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(gpu_check, "tested", lambda *words: "4 passed")
    assert gpu_check.main() == 0
    monkeypatch.setattr(gpu_check, "pretended_training", missed)
    assert gpu_check.main() == 1
    said = capsys.readouterr().out
    assert "has no CUDA device" in said
    assert "MISSED" in said
    assert "2.000 s a frame" in said


def test_failing_tests_are_a_miss(tmp_path: Path) -> None:
    (tmp_path / "test_wrong.py").write_text("def test_wrong():\n    assert False\n")
    with pytest.raises(gpu_check.Missed, match="1 failed"):
        gpu_check.tested(str(tmp_path / "test_wrong.py"), "-c", "/dev/null")


def test_generated_clips_are_training_data(tmp_path: Path) -> None:
    gpu_check.write_clips(tmp_path, ("held-out",))
    sources = find_sources(tmp_path, ("held-out",))
    assert [shot.name for shot in sources.validation] == ["held-out"]
    assert len(sources.videos) == 6
