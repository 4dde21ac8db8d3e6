"""Tests of `manage.py evaluate`, which measures an engine: the DAVIS robot scribbles on the videos of a project."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from tests.segmentation.clips import make_clip
from tests.segmentation.evaluation.test_benchmark import lay_out

pytest.importorskip("davisinteractive")


def manage(home: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    others = {name: value for name, value in os.environ.items() if not name.startswith(("MASKWRIGHT_", "DJANGO_"))}
    fake = {"MASKWRIGHT_ENGINES": "tests.segmentation.fake_engine", "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, str(settings.BASE_DIR / "manage.py"), *map(str, arguments)],
        cwd=home.parent,
        env={**others, **fake, "MASKWRIGHT_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


@pytest.fixture
def home(tmp_path: Path) -> Path:
    clip = make_clip(length=4, height=96, width=128, num_objects=2)
    lay_out(tmp_path / "davis", "moving", clip.frames, clip.truth)
    brought = manage(tmp_path / "home", "import_davis", tmp_path / "davis", "--project", "Reef")
    assert brought.returncode == 0, brought.stderr
    return tmp_path / "home"


def test_the_robot_plays_on_a_projects_videos(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "report"
    done = manage(home, "evaluate", "Reef", "--out", out.name, "--", "--engine", "fake", "--rounds", "2")
    assert done.returncode == 0, done.stderr
    engine = json.loads((out / "report.json").read_text())["engines"]["fake"]
    assert len(engine["by_round"]) == 2
    (sequence,) = engine["sequences"]
    assert sequence.startswith("moving-")
    assert not list(home.glob("benchmark-*")), "the laid out folder is taken away again"


def test_what_cannot_be_is_said_in_a_sentence(home: Path) -> None:
    unknown = manage(home, "evaluate", "Atoll")
    assert unknown.returncode == 1
    assert "No project is named 'Atoll'; there are 'Reef' (" in unknown.stderr
    refused = manage(home, "evaluate", "Reef", "--", "--engine", "magic")
    assert refused.returncode == 2
    assert "unknown 'magic'" in refused.stderr
