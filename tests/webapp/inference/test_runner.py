"""Tests of webapp/inference/runner.py: it lists the engines, and gives an engine the earlier rounds of a video."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from segmentation import registry, weights
from segmentation.engine_specs import EngineSpec, NetworkSpec
from tests.webapp.annotation.test_undo import done
from webapp.accounts.models import User
from webapp.annotation.models import Mask
from webapp.inference import runner
from webapp.videos.models import Video


@pytest.fixture
def without_weights(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """Return the name of an engine whose network has no weights yet."""
    monkeypatch.setenv("MASKWRIGHT_WEIGHTS", str(tmp_path / "mine"))
    monkeypatch.setattr(weights, "ENGINES_FOLDER", tmp_path / "shipped")
    network = NetworkSpec("lacking", "Lacking", "nowhere:Network", "nowhere:Config", "lacking", "a test")
    spec = EngineSpec("lacking", "Lacking", "nowhere:Engine", "Nothing.", (network,), shipped="Its weights are small.")
    monkeypatch.setitem(registry.ENGINES, "lacking", spec)
    for folder in ("mine", "shipped/lacking/weights"):
        (tmp_path / folder).mkdir(parents=True)
    return "lacking"


def listed(client: Client) -> dict[str, dict[str, Any]]:
    return {entry["name"]: entry for entry in client.get("/api/engines").json()}


def test_engines_are_listed_with_what_they_lack(
    client_as: Callable[..., Client], viewer: User, without_weights: str, tmp_path: Path
) -> None:
    answer = listed(client_as(viewer))
    assert list(answer) == list(registry.ENGINES)
    assert all(answer[name]["ready"] for name, spec in registry.ENGINES.items() if not spec.needs_weights)
    assert [name for name, entry in answer.items() if entry["default"]] == [registry.DEFAULT_ENGINE]
    row = answer[without_weights]
    assert (row["ready"], row["weights"], row["size_bytes"]) == (False, "", 0)
    assert str(tmp_path / "mine") in row["hint"]
    (tmp_path / "mine" / "lacking.pth").write_bytes(b"12345")
    row = listed(client_as(viewer))[without_weights]
    assert (row["ready"], row["weights"], row["size_bytes"], row["shipped"]) == (True, "lacking.pth", 5, False)
    assert row["hint"] == ""  # Weights that a person added need no warning.
    assert client_as(None).get("/api/engines").status_code == 401


def test_engines_say_what_to_know_of_the_weights_that_ship(
    client_as: Callable[..., Client], viewer: User, without_weights: str, tmp_path: Path
) -> None:
    (tmp_path / "shipped/lacking/weights/lacking.pth").write_bytes(b"12345")
    row = listed(client_as(viewer))[without_weights]
    assert (row["ready"], row["shipped"], row["hint"]) == (True, True, "Its weights are small.")


def test_engines_ship_with_weights_of_all_their_networks(
    client_as: Callable[..., Client], viewer: User, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MASKWRIGHT_WEIGHTS", str(tmp_path))
    answer = listed(client_as(viewer))
    for name, spec in registry.ENGINES.items():
        assert answer[name]["ready"]
        assert answer[name]["hint"] == spec.shipped


def test_listing_engines_does_not_import_torch() -> None:
    code = (
        "import django, sys; django.setup()\n"
        "import webapp.asgi\n"
        "from webapp.inference import runner\n"
        "runner.engines()\n"
        "sys.exit('torch' in sys.modules)"
    )
    environment = {"DJANGO_SETTINGS_MODULE": "tests.settings", "PATH": "/usr/bin:/bin"}
    assert subprocess.run([sys.executable, "-c", code], cwd=settings.BASE_DIR, env=environment).returncode == 0


def test_masks_of_earlier_rounds_are_read_when_they_are_asked_for(video: Video, owner: User) -> None:
    row = done(video, owner, None, [0, 1, 4])
    labels = runner.StoredLabels(row.pk)
    with CaptureQueriesContext(connection) as queries:
        assert (list(labels), len(labels), 4 in labels, 2 in labels) == ([0, 1, 4], 3, True, False)
        assert labels[4].shape == (video.height, video.width)
    assert len(queries) == 2
    with pytest.raises(KeyError):
        labels[2]


def test_only_frames_with_an_engine_state_have_one(video: Video, owner: User) -> None:
    row = done(video, owner, None, [0, 1])
    Mask.objects.filter(round=row, frame=1).update(engine_state=b"state")
    assert dict(runner.StoredEngineStates(row.pk)) == {1: b"state"}


def test_settings_reach_the_engine(video: Video, monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    for name, value in (("DEVICE", "cpu"), ("MEMORY_MB", 64), ("MAX_SIDE", 0)):
        monkeypatch.setitem(settings.CONFIG.values, f"MASKWRIGHT_{name}", value)
    chosen = runner.engine_settings()
    assert (chosen.device, chosen.memory_bytes, chosen.max_side) == ("cpu", 64 << 20, None)
    assert Path(str(chosen.cache_dir)).is_relative_to(settings.HOME)
