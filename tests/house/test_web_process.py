"""Tests that the web process uses little memory, starts quickly and does not load PyTorch."""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from django.conf import settings

from webapp.process.listening import listen

MOST_BYTES = 200 << 20


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[psutil.Process, str]]:
    """Start `manage.py web` with a new data folder. Yield the process and its address, and stop it at the end."""
    home = tmp_path_factory.mktemp("home")
    environment = {**os.environ, "MASKWRIGHT_HOME": str(home), "DJANGO_SETTINGS_MODULE": "webapp.settings"}
    manage = [sys.executable, str(Path(settings.BASE_DIR) / "manage.py")]
    subprocess.run([*manage, "migrate", "--verbosity", "0"], env=environment, check=True)
    with listen("127.0.0.1", 0, may_move=False) as bound:
        server = subprocess.Popen(
            [*manage, "web", "--fd", str(bound.fileno())], env=environment, pass_fds=[bound.fileno()]
        )
        address = f"http://127.0.0.1:{bound.getsockname()[1]}"
    try:
        yield psutil.Process(server.pid), address
    finally:
        server.terminate()
        assert server.wait(15) in (0, -15)


def answer(address: str) -> int:
    try:
        with urllib.request.urlopen(address, timeout=30) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_it_answers_and_stays_light(web: tuple[psutil.Process, str]) -> None:
    process, address = web
    assert answer(f"{address}/api/me") == 401
    assert answer(f"{address}/api/engines") in (401, 404)
    assert answer(f"{address}/plain.css") == 200
    assert process.memory_info().rss < MOST_BYTES


def test_it_maps_no_library_of_pytorch(web: tuple[psutil.Process, str]) -> None:
    """Look for PyTorch in the memory map of the web process, which lists the libraries that it has loaded."""
    process, address = web
    assert answer(f"{address}/api/me") == 401
    mapped = {Path(row.path).name for row in process.memory_maps()}
    assert not [name for name in mapped if name.startswith("libtorch")]
    assert [name for name in mapped if "numpy" in name or "multiarray" in name], "this test sees no libraries"


# Packages that few requests or only workers need. They cost time and memory at every start.
RARE = "torch cv2 av scipy openvino pycocotools httpx prometheus_client pyotp segno cryptography authlib ldap boto3"


def test_what_the_web_process_imports_at_its_start_imports_no_package_that_is_rarely_needed() -> None:
    code = f"import sys, webapp.asgi, webapp.urls\nprint(*sorted({set(RARE.split())} & set(sys.modules)))"
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    out = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=settings.BASE_DIR, capture_output=True, text=True
    )
    assert out.returncode == 0, out.stderr
    assert out.stdout.split() == []


def test_the_file_formats_need_neither_pytorch_nor_opencv() -> None:
    code = (
        "import sys, segmentation, segmentation.types, pkgutil, importlib, segmentation.formats as formats\n"
        "# Decoders are for the worker: what reads their frames is left out.\n"
        "for module in pkgutil.iter_modules(formats.__path__, formats.__name__ + '.'):\n"
        "    module.name.endswith(('.video_frame', '.video_stream')) or importlib.import_module(module.name)\n"
        "print(*sorted({'torch', 'cv2', 'av', 'scipy', 'openvino'} & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], cwd=settings.BASE_DIR, capture_output=True, text=True)
    assert out.returncode == 0, out.stderr
    assert out.stdout.split() == []


def test_it_is_up_in_five_seconds_of_computing() -> None:
    """Importing the web process takes under five seconds of processor time, on a slow and busy machine too.

    `python -m tests.latency` measures the time to its first answer, with a target of two seconds.
    """
    code = "import time, webapp.asgi, webapp.urls, uvicorn; print(time.process_time())"
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    started = time.monotonic()
    out = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=settings.BASE_DIR, capture_output=True, text=True
    )
    assert out.returncode == 0, out.stderr
    assert float(out.stdout) < 5, f"{out.stdout} s, {time.monotonic() - started:.1f} s by the clock"
