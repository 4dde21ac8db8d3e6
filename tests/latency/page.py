"""Measure, in a real Chromium, what a person in the studio waits for."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

from playwright.sync_api import Page, sync_playwright

from tests.browser.conftest import find_chromium
from tests.latency import large, release, work
from tests.latency.figures import Figure
from tests.studio import Studio


def measure_release(studio: Studio) -> Iterator[Figure]:
    """Yield how long a scribble takes to become a mask on the screen, and how long the preview of a click takes while
    the pointer hovers.

    The video must have no round yet.
    """
    return in_chromium(studio, _both, release.WATCH)


def _both(page: Page, studio: Studio) -> Iterator[Figure]:
    yield from release.measure(page, studio)
    yield from release.hovers(page)


def measure_work(studio: Studio) -> Iterator[Figure]:
    """Yield the speed of painting during a round, and counts of actions. The video must have no round yet."""
    return in_chromium(studio, work.measure)


def measure_large(studio: Studio) -> Iterator[Figure]:
    """Yield how fast a long video opens and is scrubbed. The data folder must come from `large.fill`."""
    return in_chromium(studio, large.measure, large.WATCH)


def in_chromium(
    studio: Studio, measure: Callable[[Page, Studio], Iterator[Figure]], script: str = ""
) -> Iterator[Figure]:
    path = find_chromium()
    if path is None:
        print("No Chromium here: what a person sees is not measured.")
        return
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"] if os.geteuid() == 0 else [])
        page = browser.new_page(base_url=studio.address, viewport={"width": 1440, "height": 900})
        page.add_init_script(script)
        page.goto(studio.sign_in_link())
        yield from measure(page, studio)
        browser.close()
