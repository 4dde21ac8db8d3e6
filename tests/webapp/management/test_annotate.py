"""Tests of the command `manage.py annotate`, which reads a video and scribble files and writes masks."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Sequence
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import cv2
import numpy as np
import pytest
from django.conf import settings
from numpy.typing import NDArray
from PIL import Image

from segmentation.formats.label_png import davis_palette
from tests.webapp.conftest import aws_variables
from tests.webapp.videos.archives import picture, write_zip
from tests.webapp.videos.clips import numbered, write_clip
from webapp.management.commands.annotate import _chosen, _standard_input
from webapp.problems import Problem
from webapp.videos.sources import open_source

FAKE = {"MASKWRIGHT_ENGINES": "tests.segmentation.fake_engine"}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "new" / "home"


def annotate(
    home: Path, *arguments: object, given: bytes = b"", **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(settings.BASE_DIR / "manage.py"), "annotate", *map(str, arguments)],
        cwd=settings.BASE_DIR,
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith(("MASKWRIGHT_", "DJANGO_"))},
            "MASKWRIGHT_HOME": str(home),
            **FAKE,
            **environment,
        },
        input=given.decode("latin-1"),
        encoding="latin-1",
        capture_output=True,
        timeout=240,
        check=False,
    )


def stroke(number: int, *points: tuple[float, float]) -> dict[str, Any]:
    return {"path": [list(point) for point in points], "object_id": number, "start_time": 0, "end_time": 0}


def scribbles(path: Path, count: int, drawn: dict[int, list[dict[str, Any]]]) -> Path:
    frames = [drawn.get(index, []) for index in range(count)]
    path.write_text(json.dumps({"sequence": "clip", "scribbles": frames}))
    return path


def masks_in(folder: Path, count: int, size: tuple[int, int]) -> list[NDArray[np.uint8]]:
    """Read the masks in `folder`, which must be `count` PNGs of `size` (width, height) with the DAVIS palette."""
    assert sorted(path.name for path in folder.iterdir()) == [f"{index:05}.png" for index in range(count)]
    found = []
    for index in range(count):
        with Image.open(folder / f"{index:05}.png") as mask:
            assert (mask.mode, mask.size) == ("P", size)
            palette = np.array(mask.getpalette(), np.uint8).reshape(-1, 3)
            assert np.array_equal(palette, davis_palette()[: len(palette)])
            found.append(np.array(mask))
    return found


def rows(home: Path, query: str) -> list[Any]:
    with sqlite3.connect(home / "maskwright.sqlite3") as database:
        return database.execute(query).fetchall()


def test_a_video_file_and_two_scribble_files_become_masks(tmp_path: Path, home: Path) -> None:
    video = write_clip(tmp_path / "reef.webm", 9, size=(241, 161), codec="libvpx-vp9")
    one = scribbles(tmp_path / "1.json", 9, {4: [stroke(1, (0.2, 0.5), (0.3, 0.5)), stroke(3, (0.7, 0.2))]})
    two = scribbles(tmp_path / "2.json", 9, {7: [stroke(2, (0.5, 0.8))], 2: [stroke(0, (0.2, 0.5), (0.3, 0.5))]})
    done = annotate(home, video, one, two, "--engine", "fake", "--out", tmp_path / "a" / "out")
    assert done.returncode == 0, done.stderr
    masks = masks_in(tmp_path / "a" / "out", 9, (241, 161))
    assert all(set(np.unique(mask)) <= {0, 1, 2, 3} for mask in masks)
    assert masks[4][32, 169] == 3, "the id is that of the scribble"
    assert masks[7][128, 120] == 2
    assert masks[2][80, 60] == 0, "a scribble of the background, in a round of its own"
    assert "Import: 100%" in done.stderr
    assert "Round 3 of 3: 100%" in done.stderr
    rounds = rows(home, "select number, frame, state, engine from annotation_round order by number")
    assert rounds == [(1, 4, "done", "fake"), (2, 2, "done", "fake"), (3, 7, "done", "fake")]
    assert rows(home, "select name, frame_count from videos_video") == [("reef", 9)]
    assert not list((home / "cache").glob("*")), "what engines spilled to disk is gone"


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_pictures_are_taken_too(tmp_path: Path, home: Path, kind: str) -> None:
    files = [(f"{index}.png", picture(numbered(index))) for index in range(12)]
    folder = tmp_path / "reef"
    folder.mkdir()
    for name, data in files:
        (folder / name).write_bytes(data)
    source = folder if kind == "folder" else write_zip(tmp_path / "reef.zip", [*files, ("notes.txt", b"Sunny.")])
    drawn = scribbles(tmp_path / "1.json", 12, {11: [stroke(1, (0.5, 0.5))]})
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "00012.png").write_bytes(b"the mask of another video")
    if kind == "zip":
        text = b"\xef\xbb\xbf" + drawn.read_bytes()  # Some editors write a byte order mark.
        options = ("--engine", "fake", "--format", "npz", "--out", tmp_path / "reef.npz")
        done = annotate(home, source, "-", *options, given=text)
        assert done.returncode == 0, done.stderr
        assert "1 file was left out: notes.txt." in done.stderr.splitlines()
        with np.load(tmp_path / "reef.npz") as file:
            masks = [file[f"reef/{index:05}"] for index in range(12)]
    else:
        done = annotate(home, source, drawn, "--engine", "fake", "--out", tmp_path / "out")
        assert "has masks of another video" in done.stderr
        (tmp_path / "out" / "00012.png").unlink()
        done = annotate(home, source, drawn, "--engine", "fake", "--out", tmp_path / "out")
        assert done.returncode == 0, done.stderr
        masks = masks_in(tmp_path / "out", 12, (240, 160))
    middles = [np.flatnonzero(mask.any(axis=0)).mean() for mask in masks]
    assert np.diff(middles) == pytest.approx(1), "the fake engine moves masks one pixel a frame, in the files' order"


def test_the_video_may_be_an_address_or_a_folder_of_a_bucket(tmp_path: Path, home: Path, s3_server: str) -> None:
    """The setting with which a site allows addresses is off: the person at the command line asks for them."""
    write_clip(tmp_path / "reef.mp4", 3)
    drawn = scribbles(tmp_path / "1.json", 3, {1: [stroke(1, (0.5, 0.5))]})
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        words = (
            f"http://127.0.0.1:{server.server_port}/reef.mp4",
            drawn,
            "--engine",
            "fake",
            "--out",
            tmp_path / "out",
        )
        refused = annotate(home, *words)
        done = annotate(home, *words, MASKWRIGHT_ALLOWED_NETWORKS="127.0.0.0/8")
        server.shutdown()
    assert (refused.returncode, done.returncode) == (2, 0), done.stderr
    assert "127.0.0.1, which is not public" in refused.stderr
    assert len(masks_in(tmp_path / "out", 3, (240, 160))) == 3
    variables = aws_variables(s3_server)
    client = boto3.Session("key", "secret").client("s3", endpoint_url=s3_server, region_name="us-east-1")
    client.create_bucket(Bucket="shots")
    for index in range(3):
        client.put_object(Bucket="shots", Key=f"bay/{index}.png", Body=picture(numbered(index)))
    done = annotate(home, "s3://shots/bay/", *words[1:-1], tmp_path / "bay", given=b"", **variables)
    assert done.returncode == 0, done.stderr
    assert len(masks_in(tmp_path / "bay", 3, (240, 160))) == 3
    assert rows(home, "select name from videos_video order by id") == [("reef",), ("bay",)]
    assert not list(home.glob("download-*"))


def disk_clip(folder: Path, count: int) -> tuple[Path, list[NDArray[np.uint8]]]:
    """Write `count` frames of a disk that moves over a textured background. Return their folder and the masks."""
    rng = np.random.default_rng(3)
    ground = cv2.GaussianBlur(rng.integers(0, 120, (240, 320, 3), np.uint8), (0, 0), 3).astype(np.uint8)
    skin = rng.integers(150, 255, (240, 320, 3), np.uint8)
    folder.mkdir()
    truth = []
    for index in range(count):
        mask = cv2.circle(np.zeros((240, 320), np.uint8), (90 + 6 * index, 120 + 2 * index), 45, 1, -1)
        shifted = np.roll(skin, (2 * index, 6 * index), axis=(0, 1))
        (folder / f"{index:05}.png").write_bytes(picture(np.where(mask[..., None] > 0, shifted, ground)))
        truth.append(mask.astype(np.uint8))
    return folder, truth


def test_the_default_engine_follows_a_disk(tmp_path: Path, home: Path) -> None:
    """The command `annotate` segments a moving disk if it is run as a user does: with real engines, and no engine
    named.
    """
    folder, truth = disk_clip(tmp_path / "disk", 12)
    inside = [stroke(1, (0.38, 0.45), (0.44, 0.55), (0.5, 0.6)), stroke(0, (0.05, 0.1), (0.9, 0.1), (0.9, 0.9))]
    drawn = scribbles(tmp_path / "1.json", 12, {6: inside})
    done = annotate(home, folder, drawn, "--out", tmp_path / "out", MASKWRIGHT_ENGINES="")
    assert done.returncode == 0, done.stderr
    scores = [
        np.logical_and(mask == 1, there).sum() / np.logical_or(mask == 1, there).sum()
        for mask, there in zip(masks_in(tmp_path / "out", 12, (320, 240)), truth, strict=True)
    ]
    assert scores[6] > 0.8, scores
    assert np.mean(scores) > 0.7, scores


def wrong(tmp_path: Path, home: Path) -> dict[str, tuple[Sequence[object], str]]:
    clip = write_clip(tmp_path / "clip.mp4", 5)
    good = scribbles(tmp_path / "good.json", 5, {1: [stroke(1, (0.5, 0.5))]})
    text = tmp_path / "notes.mp4"
    text.write_text("#EXTM3U\n/etc/passwd\n")
    blocked = tmp_path / "file"
    blocked.write_text("")
    two = tmp_path / "two"
    for name in ("a", "b"):
        (two / name).mkdir(parents=True)
        (two / name / "0.png").write_bytes(picture(numbered(0)))
    (home / "weights").mkdir(parents=True, exist_ok=True)
    (home / "weights" / "stm.safetensors").write_bytes(b"no weights")
    out = ("--engine", "fake", "--out", tmp_path / "out")
    return {
        "no video": ((tmp_path / "nowhere.mp4", good, *out), "nowhere.mp4 does not exist."),
        "playlist": ((text, good, *out), "This is a playlist"),
        "two sequences": ((two, good, *out), "holds 2 sequences. Name one with --sequence: a, b."),
        "no scribbles": ((clip, tmp_path / "none.json", *out), "none.json: it cannot be read"),
        "other video": (
            (clip, good, scribbles(tmp_path / "long.json", 9, {1: [stroke(1, (0.5, 0.5))]}), *out),
            "long.json: it is for a video of 9 frames, this one has 5.",
        ),
        "empty": ((clip, scribbles(tmp_path / "empty.json", 5, {}), *out), "no scribble on any frame"),
        "engine": ((clip, good, "--engine", "nope", "--out", tmp_path / "out"), "no such engine"),
        "weights": ((clip, good, "--engine", "stm", "--out", tmp_path / "out"), "stm.safetensors"),
        "folder": ((clip, good, "--engine", "fake", "--out", blocked / "out"), "cannot be made"),
    }


@pytest.mark.parametrize(
    "case",
    ["no video", "playlist", "two sequences", "no scribbles", "other video", "empty", "engine", "weights", "folder"],
)
def test_what_is_wrong_is_one_sentence_and_exit_code_2(tmp_path: Path, home: Path, case: str) -> None:
    arguments, words = wrong(tmp_path, home)[case]
    done = annotate(home, *arguments)
    assert done.returncode == 2
    *bars, sentence = done.stderr.strip().split("\n")
    assert words in sentence, done.stderr
    assert all(bar.lstrip("\r").startswith(("Import:", "Round")) for bar in bars if bar), f"more than progress: {bars}"
    assert "Traceback" not in done.stderr
    assert not list((tmp_path / "out").glob("*"))
    if rows(home, "select name from sqlite_master where name = 'videos_video'"):
        assert rows(home, "select count(*) from videos_video") == [(0,)]
    # The folder of a deleted video is renamed at once to deleted-*, and the sweep of a worker removes it later.
    kept = [path for path in (home / "videos").glob("*") if not path.name.startswith("deleted-")]
    assert not [path for folder in kept for path in folder.glob("**/*") if path.is_file()]


def test_one_of_several_sequences_is_chosen_by_its_name(tmp_path: Path) -> None:
    files = [(f"{folder}/{index}.png", picture(numbered(index))) for folder in ("a", "b") for index in range(2)]
    source = write_zip(tmp_path / "two.zip", files)
    with open_source(source) as clips:
        assert _chosen(clips, str(source), "two", "b").name == "b"
        for name, says in ((None, "holds 2 sequences"), ("c", "holds no sequence 'c'")):
            with pytest.raises(Problem, match=rf"{says}\. Name one with --sequence: a, b\."):
                _chosen(clips, str(source), "two", name)


def test_only_one_file_can_be_the_standard_input() -> None:
    with pytest.raises(Problem, match="Only one of the files"), _standard_input(["-", "-"]):
        pass


def test_a_round_that_fails_ends_with_its_sentence(tmp_path: Path, home: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", 5)
    drawn = scribbles(tmp_path / "1.json", 5, {1: [stroke(1, (0.5, 0.5))]})
    done = annotate(home, clip, drawn, "--engine", "fake", "--out", tmp_path / "out", FAKE_ENGINE_FAIL_AT="3")
    assert done.returncode == 2
    assert "told to fail at frame 3" in done.stderr.strip().split("\n")[-1]
