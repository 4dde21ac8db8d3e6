"""Measure how fast a long video at 1080p with 20 rounds opens, and how far its picture is behind a cold scrub."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Page

from tests.browser.hand import open_video
from tests.latency.figures import Figure, percentile, spread
from tests.studio import MANAGE, Studio, environment_of, used_home

VIDEO, FRAMES, ROUNDS = 2, 330, 20
OPENINGS = 7
SECONDS = 3.0  # of a scrub from the first frame to the last
# `opened` is the time, from the start of the navigation, at which the picture, its mask and the list of rounds are all
# on the page. `behind` has, for each picture of the screen, how many frames the painted one is from the wanted one: it
# is read at the beginning of the next picture, as a timer may run so late that a newer frame is painted already.
WATCH = f"""
(() => {{
  const masks = new Set();
  const put = CanvasRenderingContext2D.prototype.putImageData;
  CanvasRenderingContext2D.prototype.putImageData = function (...given) {{
    put.apply(this, given);
    masks.add(this.canvas.dataset.testid);
  }};
  window.opened = null;
  window.behind = [];
  let wanted = null;
  const look = () => {{
    const paints = globalThis.__maskwright?.paints ?? [];
    if (wanted && paints.length > 0) window.behind.push(Math.abs(Number(wanted[0]) - paints.at(-1).frame));
    wanted = document.querySelector('[data-testid=hud-frame]')?.textContent.match(/\\d+/);
    const rounds = document.querySelectorAll('[data-testid=rounds] [data-testid^=round-][data-state]').length;
    const picture = paints.some((paint) => paint.picture);
    if (picture && masks.has('canvas-mask') && rounds >= {ROUNDS}) window.opened ??= performance.now();
    requestAnimationFrame(look);
  }};
  requestAnimationFrame(look);
}})()
"""


def fill(home: Path) -> None:
    """Copy the data folder of a first start to `home`, and add the long video."""
    shutil.copytree(used_home(), home)
    command = [sys.executable, "-m", "tests.latency.large_video"]
    subprocess.run(command, env=environment_of(home), cwd=MANAGE.parent, check=True)


def measure(page: Page, studio: Studio) -> Iterator[Figure]:
    """Yield the figures. `page` must have the script `WATCH`, and the data folder of `studio` must come from `fill`."""
    yield _opening(page)
    yield _scrubbing(page)


def _opening(page: Page) -> Figure:
    times = []
    for _ in range(OPENINGS):
        page.goto(f"/videos/{VIDEO}")
        page.wait_for_function("() => window.opened !== null", timeout=60_000)
        times.append(page.evaluate("window.opened") / 1000)
    name = f"Open {FRAMES} frames at 1080p with {ROUNDS} rounds, median"
    return Figure(name, percentile(times, 50), "s", 0.5, "less", spread(times))


def _scrubbing(page: Page) -> Figure:
    """Drag along the whole timeline as soon as the video is open, when only the first frames are loaded. Return by how
    many frames the picture was behind.
    """
    open_video(page, VIDEO)
    box = page.get_by_test_id("timeline").bounding_box()
    assert box
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 1, middle)
    page.mouse.down()
    page.evaluate("() => { window.behind.length = 0; }")
    started = time.monotonic()
    while (part := (time.monotonic() - started) / SECONDS) < 1:
        page.mouse.move(box["x"] + 1 + (box["width"] - 2) * part, middle)
        page.wait_for_timeout(4)
    page.mouse.up()
    behind = page.evaluate("window.behind")
    note = f"p95 {percentile(behind, 95):.3g}, {spread(behind)} in {SECONDS:g} s"
    return Figure("Cold scrub at 1080p: frames behind, at most", max(behind), "", 3, "less", note)
