"""Tests of `manage.py import_davis`, which imports a folder in the DAVIS layout as videos with ground truth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import call_command

from segmentation.formats.label_png import encode_labels
from tests.webapp.videos.archives import numbered_picture
from tests.webapp.videos.clips import read_number, stored_truth
from webapp.accounts.models import User
from webapp.projects.models import Membership, Project, Role
from webapp.videos.models import Video, VideoState
from webapp.videos.storage import StoredFrames, folder_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def home(settings: Any, tmp_path: Path) -> Path:
    settings.HOME = tmp_path / "home"
    settings.HOME.mkdir()
    return settings.HOME


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "DAVIS"
    for sequence, count in (("crab", 3), ("fish", 4)):
        for kind in ("JPEGImages", "Annotations"):
            (folder / kind / "480p" / sequence).mkdir(parents=True)
        for index in range(count):
            frame = folder / "JPEGImages" / "480p" / sequence / f"{index:05}.jpg"
            frame.write_bytes(numbered_picture(index, "JPEG"))
            mask = folder / "Annotations" / "480p" / sequence / f"{index:05}.png"
            mask.write_bytes(encode_labels(labels(index)))
    (folder / "ImageSets").mkdir()
    (folder / "ImageSets" / "val.txt").write_text("crab\nfish\n")
    return folder


def labels(index: int) -> np.ndarray:
    found = np.zeros((160, 240), np.uint8)
    found[10 : 40 + index, 20:90] = 3
    return found


def run(*arguments: object) -> int:
    """Run `manage.py import_davis` in this process and return its exit status."""
    try:
        call_command("import_davis", *map(str, arguments))
    except SystemExit as end:
        return int(str(end.code))
    return 0


def test_every_sequence_becomes_a_video_with_truth(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(root, "--project", "Reef") == 0
    owner = User.objects.get()
    assert owner.is_superuser
    assert Membership.objects.get(project__name="Reef", user=owner).role == Role.OWNER
    crab, fish = Video.objects.order_by("name")
    assert (crab.name, fish.name) == ("crab", "fish")
    assert (fish.state, fish.frame_count, fish.truth_frames, fish.truth_objects) == (
        VideoState.READY,
        4,
        [0, 1, 2, 3],
        3,
    )
    frames = StoredFrames(fish)
    for index in range(4):
        assert read_number(frames[index]) == index
        assert np.array_equal(stored_truth(fish, index), labels(index))
        original = root / "JPEGImages" / "480p" / "fish" / f"{index:05}.jpg"
        assert folder_of(fish.pk).frame(index).read_bytes() == original.read_bytes()
    captured = capsys.readouterr()
    assert "2 of 2 sequences are new" in captured.out
    assert "100%" in captured.err, "a progress bar"


def test_what_is_there_is_not_brought_in_twice(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(root, "--project", "Reef", "--sequence", "crab")
    assert run(root, "--project", "Reef") == 0
    assert list(Video.objects.order_by("name").values_list("name", flat=True)) == ["crab", "fish"]
    assert Project.objects.count() == 1
    assert "crab: is there already" in capsys.readouterr().out


def test_a_bad_sequence_is_named_and_the_others_come(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "JPEGImages" / "480p" / "crab" / "00001.jpg").write_bytes(b"no picture")
    assert run(root, "--project", "Reef") == 2
    assert [video.name for video in Video.objects.all()] == ["fish"]
    assert "crab: crab/00001.jpg cannot be read" in capsys.readouterr().err


def test_it_says_in_a_sentence_what_is_wrong(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    for arguments, words in (
        ((tmp_path / "nowhere", "--project", "Reef"), "is not a folder."),
        ((tmp_path / "empty", "--project", "Reef"), "no pictures below a folder JPEGImages."),
        ((root, "--project", "Reef", "--sequence", "eel"), "There is no sequence 'eel'; there are crab, fish."),
        ((root, "--project", " "), "Give the project a name."),
    ):
        assert run(*arguments) == 2
        error = capsys.readouterr().err
        assert words in error
        assert error.count("\n") == 1
    assert not Video.objects.exists()
