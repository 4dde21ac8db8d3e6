"""Tests of the commands that work over REST: what they ask the server for, and what they say."""

from __future__ import annotations

import json
import os
import pkgutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.core.management.base import BaseCommand

from maskwright import command_line, connection
from webapp import management
from webapp.__main__ import OVERVIEW, REMOTE
from webapp.__main__ import main as maskwright
from webapp.installation import BASE_DIR
from webapp.management.commands.evaluate import evaluate

VIDEO = {"id": 7, "name": "clip", "state": "ready", "frame_count": 2, "note": "One file was left out."}
DONE = {"id": 3, "state": "done", "progress_done": 1, "progress_total": 1, "error": ""}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Replace the server by a dictionary of answers by "METHOD path", and return it. The bodies of requests are added
    to it under "METHOD path body".
    """
    answers: dict[str, Any] = {
        "GET /projects": [{"id": 1, "name": "Birds"}],
        "GET /projects/1/videos": [VIDEO],
        "GET /videos/7": VIDEO,
        "POST /projects/1/uploads": {"id": "u"},
        "PATCH /uploads/u": {"received": 5},
        "POST /uploads/u/finish": {"id": 7},
    }

    def answer(request: httpx.Request) -> httpx.Response:
        line = f"{request.method} {request.url.path.removeprefix('/api/v1')}"
        body = request.read()
        if body and request.headers["Content-Type"] == "application/json":
            answers.setdefault(f"{line} body", []).append(json.loads(body))
        found = answers.get(line)
        if found == "away":
            raise httpx.ConnectError("Connection refused")
        if isinstance(found, bytes):
            return httpx.Response(200, stream=httpx.ByteStream(found))
        return httpx.Response(200 if found is not None else 404, json=found)

    def connect(self: connection.Connection, url: str, token: str, timeout: float = 60.0) -> None:
        self._http = httpx.Client(base_url=f"{url}/api/v1", transport=httpx.MockTransport(answer))

    monkeypatch.setattr(connection.Connection, "__init__", connect)
    monkeypatch.setenv("MASKWRIGHT_TOKEN", "mwt_secret")
    monkeypatch.setattr(connection, "POLL_SECONDS", (0.0, 0.0))
    return answers


def test_the_program_passes_these_commands_on(server: dict[str, Any], tmp_path: Path, capsys: Any) -> None:
    assert command_line.COMMANDS == REMOTE
    (tmp_path / "clip.mp4").write_bytes(b"video")
    with pytest.raises(SystemExit) as ended:
        maskwright(["upload", "Birds", str(tmp_path / "clip.mp4")])
    assert ended.value.code == 0
    assert capsys.readouterr().out == "clip: video 7, 2 frames. One file was left out.\n"
    server["POST /projects/1/fetches"] = server["GET /fetches/3"] = {**DONE, "video": 7}
    assert command_line.main(["fetch", "Birds", "clips/clip.mp4"]) == 0
    assert server["POST /projects/1/fetches body"] == [{"source": "clips/clip.mp4"}]
    assert capsys.readouterr().out == "clip: video 7, 2 frames. One file was left out.\n"
    assert command_line.main(["upload", "Birds", "gone.mp4"]) == 2
    assert capsys.readouterr().err.endswith("gone.mp4: No such file or directory.\n")
    for words in (["version"], ["fsck", "--version"]):
        maskwright(words)
        assert capsys.readouterr().out.startswith("maskwright ")


def test_run_draws_the_scribbles_and_runs_a_round_for_each_frame(server: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "s.json"
    line = {"path": [[0.1, 0.2]], "object_id": 2}
    file.write_bytes(b"\xef\xbb\xbf" + json.dumps({"scribbles": [[line], [line]]}).encode())
    server["GET /videos/7/state"] = {"objects": [{"number": 1}], "head": None}
    server["POST /videos/7/commands"] = {"result": 3}
    server["GET /rounds/3"] = {**DONE, "done": 1, "total": 1}
    assert command_line.main(["run", "Birds", "clip", str(file), "--engine", "flow"]) == 0
    sent = [(body["type"], body.get("frame"), body.get("frames")) for body in server["POST /videos/7/commands body"]]
    drawn = [("scribble.add", 0, None), ("round.run", None, [0]), ("scribble.add", 1, None), ("round.run", None, [1])]
    assert sent == [("object.add", None, None), *drawn]


def test_export_asks_for_what_the_options_say(server: dict[str, Any], tmp_path: Path) -> None:
    server |= {"POST /videos/7/exports": {"id": 3}, "GET /exports/3": DONE, "GET /exports/3/file": b"zip"}
    words = [
        "--frames",
        "0-9",
        "--frames",
        "12",
        "--label",
        "Gull",
        "--accepted-only",
        "--out",
        str(tmp_path / "x.zip"),
    ]
    assert command_line.main(["export", "Birds", "coco", "--video", "clip", *words]) == 0
    assert server["POST /videos/7/exports body"] == [
        {
            "format": "coco",
            "options": {"spans": [[0, 9], [12, 12]], "labels": ["Gull"], "accepted_only": True},
        }
    ]
    assert (tmp_path / "x.zip").read_bytes() == b"zip"
    look = ["--opacity", "0", "--contour", "0", "--background", "#00b140", "--out", str(tmp_path / "x.mp4")]
    assert command_line.main(["export", "Birds", "overlay", "--video", "clip", *look]) == 0
    options = server["POST /videos/7/exports body"][1]["options"]
    assert options["look"] == {"opacity": 0.0, "contour": 0, "background": "#00b140"}


def test_export_of_jobs_asks_for_them(server: dict[str, Any], tmp_path: Path) -> None:
    server |= {"POST /projects/1/jobs/exports": {"id": 3}, "GET /exports/3": DONE, "GET /exports/3/file": b"zip"}
    words = ["export", "Birds", "davis", "--job", "5", "--job", "6", "--out", str(tmp_path / "x.zip")]
    assert command_line.main(words) == 0
    wanted = {"format": "davis", "jobs": [5, 6], "options": {"accepted_only": False}}
    assert server["POST /projects/1/jobs/exports body"] == [wanted]
    assert (tmp_path / "x.zip").read_bytes() == b"zip"


def test_import_says_what_was_brought_in_and_what_the_labels_are(
    server: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "m.json").write_bytes(b"masks")
    server["POST /projects/1/mask-imports"] = {"id": 3}
    result = [{"video": 7, "name": "clip", "round": 1, "frames": 2, "objects": 1}]
    server["GET /mask-imports/3"] = {**DONE, "result": result}
    words = ["import", "Birds", str(tmp_path / "m.json"), "--label", "gull=Bird", "--label", "sky=", "--make-labels"]
    assert command_line.main(words) == 0
    (body,) = server["POST /projects/1/mask-imports body"]
    assert (body["labels"], body["other_labels"]) == ({"gull": "Bird", "sky": None}, "make")
    assert capsys.readouterr().out == "clip: 2 frames, 1 object.\n"


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["export", "Fish", "coco", "--out", "x"], "no project 'Fish'"),
        (["export", "Birds", "coco", "--out", "x", "--video", "none"], "No video is called 'none'"),
        (["export", "Birds", "coco", "--out", "x", "--frames", "a-b"], "--frames a-b"),
        (["export", "Birds", "coco", "--out", "x", "--object", "3"], "give --video or --job"),
        (["export", "Birds", "coco", "--out", "x", "--job", "3", "--video", "clip"], "leave out --video"),
        (["import", "Birds", "missing.zip"], "missing.zip"),
        (["run", "Birds", "clip", "missing.json"], "missing.json"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(
    server: dict[str, Any], capsys: pytest.CaptureFixture[str], words: list[str], text: str
) -> None:
    assert command_line.main(words) == 2
    assert text in capsys.readouterr().err


def test_a_command_without_a_token_says_where_to_get_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("MASKWRIGHT_TOKEN", raising=False)
    assert command_line.main(["export", "Birds", "coco", "--out", "x"]) == 2
    assert "maskwright token" in capsys.readouterr().err


def test_the_overview_names_every_command_for_people() -> None:
    commands = {name for _, name, _ in pkgutil.iter_modules([str(Path(management.__path__[0]) / "commands")])}
    of_processes_and_developers = {"web", "worker", "measure_latency", "export_openapi", "import_davis"}
    listed = {line.split()[0] for line in OVERVIEW.splitlines() if line.startswith("  ")}
    assert listed == {*REMOTE, "train", *commands - of_processes_and_developers}


def test_training_is_explained_under_the_name_that_was_typed(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    def start(program: str, words: list[str], environment: dict[str, str]) -> None:
        at = words.index("-c")
        monkeypatch.setattr(sys, "argv", ["-c", *words[at + 2 :]])
        exec(words[at + 1], {})

    monkeypatch.setattr(os, "execve", start)
    with pytest.raises(SystemExit) as ended:
        maskwright(["train", "--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert said.startswith("usage: manage.py train ")
    assert "segmentation.training" not in said


@pytest.mark.parametrize("command", ["train", "evaluate"])
def test_files_of_the_folder_in_which_a_command_is_started_are_not_imported(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for name in ("json.py", "segmentation/__init__.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text('raise SystemExit("imported from the folder")')
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    if command == "evaluate":
        code = evaluate(tmp_path / "davis", tmp_path / "report", ["--help"])
    else:
        words = [sys.executable, str(BASE_DIR / "manage.py"), "train", "--help"]
        code = subprocess.run(words, check=False).returncode
    said = capfd.readouterr()
    assert code == 0, said.err
    assert "usage: " in said.out


def test_the_help_of_a_command_has_only_its_own_options(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    # Django is set up already. To set it up again would close all handlers of logs, and that of absl closes its stream,
    # in which pytest captures what is printed.
    monkeypatch.setattr("django.setup", lambda: None)
    for name in ("suppressed_base_arguments", "requires_system_checks"):
        monkeypatch.setattr(BaseCommand, name, getattr(BaseCommand, name))  # They are set back after this test.
    with pytest.raises(SystemExit):
        maskwright(["fsck", "--help"])
    said = capsys.readouterr().out
    assert "--repair" in said
    assert "--skip-checks" not in said


def test_a_server_that_does_not_answer_is_named_by_its_address(
    server: dict[str, Any], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "TRIES", 1)
    server["GET /projects"] = "away"
    words = ["export", "Birds", "davis", "--out", "x.zip", "--url", "http://masks.test"]
    assert command_line.main(words) == 2
    assert capsys.readouterr().err == "No server answers at http://masks.test/ (Connection refused).\n"
