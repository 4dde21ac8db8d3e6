"""Tests that the wheel of `make wheel` runs without the source tree: the tests install it and start it."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from django.conf import settings

from tests.studio import environment_of, free_port

MOST_BYTES = 60 << 20


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = Path(settings.BASE_DIR)
    before = set((base / "dist").glob("*.whl"))
    # The tests need these files anyway, so make is told that they are up to date.
    there = [f"--assume-old={file}" for file in ("frontend/dist/index.html", ".venv/.evaluation")]
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(["make", "wheel", *there, f"WHEELS={folder}"], cwd=base, check=True, capture_output=True)
    assert set((base / "dist").glob("*.whl")) == before
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel without its dependencies into a new folder, and return the folder.

    The dependencies are those of the Python environment in which the tests run.
    """
    folder = tmp_path_factory.mktemp("installed")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile", "--target", str(folder)]
    subprocess.run([*command, str(wheel)], check=True)
    return folder


@pytest.fixture
def environment(installed: Path, tmp_path: Path) -> dict[str, str]:
    ours = environment_of(tmp_path, PYTHONPATH=str(installed), PYTHONDONTWRITEBYTECODE="1")
    del ours["MASKWRIGHT_HOME"]
    return {**ours, "HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path / "share")}


@pytest.fixture
def served(installed: Path, environment: dict[str, str], tmp_path: Path) -> Iterator[str]:
    """Run `serve` of the installed wheel in another folder, and yield the sign-in link that it prints."""
    variables = {**environment, "MASKWRIGHT_PORT": str(free_port())}
    command = [sys.executable, "-m", "webapp", "serve", "--no-sample"]
    with subprocess.Popen(command, cwd=tmp_path, env=variables, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        printed = []
        for line in process.stdout:
            printed.append(line)
            if found := re.search(r"http://\S+/sign-in/link/\S+", line):
                yield found[0]
                break
        else:
            pytest.fail(f"no link was printed: {printed}")
        process.send_signal(signal.SIGINT)


def test_it_is_small_and_holds_the_page_and_the_weights(wheel: Path) -> None:
    assert wheel.stat().st_size < MOST_BYTES
    names = zipfile.ZipFile(wheel).namelist()
    assert "webapp/page/index.html" in names
    assert any(re.fullmatch(r"webapp/page/assets/index-.*\.js", name) for name in names)
    assert "segmentation/engines/star/weights/star.safetensors" in names
    assert {"webapp/templates/not_built.html", "maskwright/client.py"} <= set(names)
    assert not [name for name in names if name.startswith(("tests/", "frontend/"))]


def test_it_serves_the_page_and_writes_only_below_the_users_data_folder(
    served: str, installed: Path, tmp_path: Path
) -> None:
    before = set(installed.rglob("*"))
    with httpx.Client(follow_redirects=True, timeout=60) as browser:
        page = browser.get(served)
        assert page.is_success
        assert browser.get(page.url.join("/api/me")).json()["username"] == "owner"
        (script,) = re.findall(r'src="(/static/assets/index-[^"]+\.js)"', page.text)
        assert browser.get(page.url.join(script)).is_success
    assert (tmp_path / "share" / "maskwright" / "maskwright.sqlite3").is_file()
    assert set(installed.rglob("*")) == before


def test_the_command_takes_the_data_folder_as_an_option(environment: dict[str, str], tmp_path: Path) -> None:
    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "webapp", *words]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)

    assert run("--home", str(tmp_path / "here"), "migrate", "--verbosity=0").returncode == 0
    assert (tmp_path / "here" / "maskwright.sqlite3").is_file()
    refused = run("--home", str(tmp_path / "here"))
    assert refused.returncode == 2
    assert "maskwright --home DIR COMMAND" in refused.stderr
    assert "serve" in run().stdout


def test_it_says_that_only_a_clone_can_reload_its_sources(environment: dict[str, str], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "webapp", "serve", "--dev"]
    refused = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert refused.returncode == 1
    assert "--dev needs a clone" in refused.stderr
