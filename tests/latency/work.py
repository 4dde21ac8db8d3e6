"""Measure painting while a round of five objects runs, and count the actions of an annotator's commonest work."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from playwright.sync_api import Page, expect

from tests.browser.hand import draw, ended, masks_of_head, middle_of, open_video, run, saved, to_frame, truth_of
from tests.latency.figures import Figure, percentile, spread
from tests.studio import Studio

FRAME = 40  # of the scribbles
STEPS = 60  # frames that are gone through while the round runs
STONES = ([(0.1, 0.1), (0.14, 0.1)], [(0.5, 0.92), (0.54, 0.92)])  # scribbles on two stones, which are objects as well
ACCEPTED = 30
WRONG = 60  # The frame whose mask is spoilt by hand and then set right.
SPOT = np.array([(0.3, 0.25), (0.33, 0.25)])  # Where it is spoilt, on the lily pad.


def measure(page: Page, studio: Studio) -> Iterator[Figure]:
    """Yield the figures. The video must have no round yet."""
    open_video(page)
    yield _scrubbing(page, studio)
    yield _accepting(page)
    yield _fixing(page, rounds=1)


def _scrubbing(page: Page, studio: Studio) -> Figure:
    to_frame(page, FRAME)
    truth = truth_of(studio.home, 1, FRAME)
    paths = [*(middle_of(truth == label) for label in (1, 2, 3)), *(np.array(stone) for stone in STONES)]
    for number, path in enumerate(paths):
        if number:
            page.keyboard.press("n")
        draw(page, path)
    saved(page)
    page.keyboard.press("r")
    expect(page.get_by_test_id("round-1")).to_have_attribute("data-state", "running", timeout=120_000)
    page.evaluate("() => { __maskwright.paints.length = 0; }")
    for step in range(STEPS):
        page.keyboard.press("f" if step % 40 < 20 else "d")
    running = page.get_by_test_id("round-1").get_attribute("data-state") == "running"
    times = [paint["ms"] for paint in page.evaluate("__maskwright.paints")]
    ended(page, 1)
    note = spread(times) + ("" if running else "; the round ended before the scrubbing did")
    return Figure("A paint while a round of five objects runs, p95", percentile(times, 95), "ms", 8, "less", note)


def _accepting(page: Page) -> Figure:
    """Select the first frames with the mouse, accept them with a key, and check that the server has stored them as
    accepted.
    """
    box = page.get_by_test_id("timeline").bounding_box()
    assert box
    count = page.request.get("/api/videos/1/state").json()["video"]["frame_count"]
    middle = box["y"] + box["height"] / 2
    page.keyboard.down("Shift")
    page.mouse.move(box["x"] + 2, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * (ACCEPTED - 0.5) / count, middle, steps=4)
    page.mouse.up()
    page.keyboard.up("Shift")
    page.keyboard.press("a")
    expect(page.get_by_test_id("span-bar")).to_be_visible()
    page.wait_for_timeout(1000)
    accepted = page.request.get("/api/videos/1/state").json()["accepted"]
    page.keyboard.press("Escape")  # Nothing is selected any more.
    note = f"a drag and a key; {len(accepted)} frames are accepted"
    return Figure("Accept 30 frames: actions", 2 if len(accepted) >= ACCEPTED else float("inf"), "", 2, "less", note)


def _fixing(page: Page, rounds: int) -> Figure:
    """Spoil the mask of a frame, count the actions that correct it, and check that a later round keeps the corrected
    mask.

    `rounds` is the number of versions so far.
    """
    right = masks_of_head(page)[WRONG]
    to_frame(page, WRONG)
    for key in ("1", "b"):
        page.keyboard.press(key)
    draw(page, SPOT)
    ended(page, rounds + 1)
    spoilt = int((masks_of_head(page)[WRONG] != right).sum())
    to_frame(page, 0)
    box = page.get_by_test_id("timeline").bounding_box()
    assert box
    count = page.request.get("/api/videos/1/state").json()["video"]["frame_count"]
    actions = (
        lambda: page.mouse.click(box["x"] + box["width"] * (WRONG + 0.5) / count, box["y"] + 30),
        lambda: page.keyboard.press("Shift+E"),
        lambda: draw(page, SPOT),
        lambda: page.keyboard.press("a"),
    )
    for action in actions[:-1]:
        action()
    ended(page, rounds + 2)  # The server refuses an acceptance that is sent before the painted mask has come back.
    actions[-1]()
    page.wait_for_timeout(1000)  # The acceptance and the mask are stored.
    accepted = str(WRONG) in page.request.get("/api/videos/1/state").json()["accepted"]
    to_frame(page, WRONG + 10)
    page.keyboard.press("s")
    draw(page, SPOT)
    saved(page)
    run(page, rounds + 3)
    left = int((masks_of_head(page)[WRONG] != right).sum())
    note = f"{spoilt} wrong pixels, {left} after the correction and another round"
    note += "" if accepted else "; the frame was not accepted"
    done = accepted and spoilt > 0 and left <= spoilt / 100
    return Figure("Fix one wrong frame for good: actions", len(actions) if done else float("inf"), "", 4, "less", note)
