"""Fixtures for tests in a real browser.

They start the Chromium that is installed on this machine, and `manage.py serve` (the web process and the workers) with
a new data folder.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from tests.studio import Studio

WAIT_MS = 20_000  # Long, because the other tests keep the processors busy. What is there earlier is not waited for.
expect.set_options(timeout=WAIT_MS)

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
ON_A_MAC = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
SHOTS = Path(__file__).parent / "shots"
VIEWPORT = (1440, 900)
MISSING = """
No Chromium was found for the browser tests. Get one with
    apt install chromium        (Debian)
    snap install chromium       (Ubuntu)
    brew install --cask chromium  (macOS)
or name one with CHROMIUM=/path/to/it. `make test BROWSER=skip` leaves these tests out.
"""


def find_chromium() -> str | None:
    """Return the path of the installed Chromium or Chrome, or None if there is none.

    The environment variable CHROMIUM, which names a program, takes precedence.
    """
    if named := os.environ.get("CHROMIUM"):
        return shutil.which(named)
    found = next(filter(None, map(shutil.which, NAMES)), None)
    return found or next(filter(os.path.exists, ON_A_MAC), None)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = find_chromium()
    if path is None:
        pytest.fail(MISSING, pytrace=False)
    if not (settings.FRONTEND_DIST / "index.html").is_file():
        pytest.fail("The page is not built: run `make setup`, or npm ci && npm run build in frontend/.", pytrace=False)
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium does not start with its sandbox as root.
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """Run one server (`manage.py serve`) with the sample project. All tests of a file share it."""
    with Studio(tmp_path_factory.mktemp("studio")) as running:
        yield running


class Visitors:
    """Opens browser windows for users and collects the errors in the console of their pages in `complaints`."""

    def __init__(self, browser: Browser, studio: Studio) -> None:
        self._browser = browser
        self._studio = studio
        self._contexts: list[BrowserContext] = []
        self.complaints: list[str] = []

    def open(self, username: str | None = "owner", size: tuple[int, int] = VIEWPORT) -> Page:
        """Open a window of the `size` (width, height) in pixels at the start page. Return Playwright's object for it.

        The user called `username` is signed in, and is created if there is none. With None, nobody is signed in.
        """
        context = self._browser.new_context(
            base_url=self._studio.address, viewport={"width": size[0], "height": size[1]}
        )
        context.set_default_timeout(WAIT_MS)
        self._contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._listen)
        page.goto("/" if username is None else self._studio.sign_in_link(username))
        return page

    def _listen(self, message: ConsoleMessage) -> None:
        # Chromium logs violations of the content security policy and exceptions of the page's code. These are kept. It
        # also logs responses such as 401, which the page handles, and sockets that do not open. These are left out.
        tried = ("Failed to load resource", "WebSocket connection to")
        if message.type == "error" and not any(text in message.text for text in tried):
            self.complaints.append(message.text)

    def close(self) -> None:
        for context in self._contexts:
            context.close()


@pytest.fixture
def visitors(chromium: Browser, studio: Studio) -> Iterator[Visitors]:
    """Let a test open browser windows. The test fails if a page in one of them had an error."""
    visitors = Visitors(chromium, studio)
    yield visitors
    visitors.close()
    assert visitors.complaints == []


@pytest.fixture
def page(visitors: Visitors) -> Page:
    """Open a window of the user "owner" at the list of projects."""
    return visitors.open()


@pytest.fixture
def page_at(visitors: Visitors) -> Callable[[tuple[int, int]], Page]:
    """Return a function that opens a window in which the user "owner" is signed in: `page_at((width, height))`."""
    return lambda size: visitors.open(size=size)


@pytest.fixture
def shot() -> Callable[[Page, str], None]:
    """Return a function `take(page, name)` that saves a screenshot of a page below tests/browser/shots.

    The screenshots are for people to look at. No test compares them.
    """

    def take(page: Page, name: str) -> None:
        SHOTS.mkdir(exist_ok=True)
        page.screenshot(path=SHOTS / f"{name}.png")

    return take
