"""Measure, in a real Chromium, the time from the end of a scribble (the pen is lifted) to its mask on the screen."""

from __future__ import annotations

import os
from collections.abc import Iterator

import numpy as np
from playwright.sync_api import Page, sync_playwright

from tests.browser.conftest import find_chromium
from tests.browser.hand import draw, ended, middle_of, open_video, to_frame, truth_of
from tests.latency.figures import Figure, spread
from tests.studio import Studio

FRAMES = (10, 20, 30, 40, 50, 60, 70)
# Resolves to the milliseconds from `pointerup` until the canvas of the mask has changed. The script compares the canvas
# at each animation frame of the browser, so the value may be up to 17 ms too large.
WATCH = """
() => new Promise((resolve, reject) => {
  const canvas = document.querySelector('[data-testid=canvas-mask]');
  const sum = () => {
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    const words = new Uint32Array(data.buffer);
    let total = 0;
    for (let i = 0; i < words.length; i += 1) total = (total * 31 + words[i]) | 0;
    return total;
  };
  const before = sum();
  addEventListener('pointerup', () => {
    const released = performance.now();
    setTimeout(() => reject(new Error('no other mask was painted within a minute')), 60_000);
    const look = () => {
      if (sum() !== before) resolve(performance.now() - released);
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  }, { once: true, capture: true });
})
"""


def measure(studio: Studio) -> Iterator[Figure]:
    path = find_chromium()
    if path is None:
        print("No Chromium here: what a person sees is not measured.")
        return
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"] if os.geteuid() == 0 else [])
        page = browser.new_page(base_url=studio.address, viewport={"width": 1440, "height": 900})
        page.goto(studio.sign_in_link())
        times = release_to_paint(page, studio)
        browser.close()
    yield Figure(
        "Release of a scribble to its mask painted, median", float(np.median(times)), "ms", 300, "less", spread(times)
    )


def release_to_paint(page: Page, studio: Studio, video: int = 1) -> list[float]:
    """Draw scribbles that each run a round when the pen is lifted. Return the milliseconds until each mask is shown.

    The first round is left out, because it also starts the engine.
    """
    open_video(page, video)
    page.get_by_test_id("view-runOnRelease").click()
    times = []
    for number, frame in enumerate(FRAMES, 1):
        to_frame(page, frame)
        scribble = middle_of(truth_of(studio.home, video, frame) == 3)  # the leaf
        if number > 1:
            page.keyboard.press("n")  # for a new object; an existing mask might not change
        page.evaluate(f"window.painted = ({WATCH})()" + "; undefined")
        draw(page, scribble)
        times.append(float(page.evaluate("window.painted")))
        ended(page, number)
    return times[1:]
