"""Tests in the browser with the default engine: draw a scribble, run a round, correct it, undo and export."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from segmentation.metrics import jaccard
from tests.browser import hand
from tests.studio import Studio

pytestmark = pytest.mark.browser

OBJECT = 1  # an object id in the ground truth of the sample video


def test_two_rounds_give_the_object_and_the_export_has_it(page: Page, studio: Studio) -> None:
    hand.open_video(page)
    frames = page.request.get("/api/videos/1/state").json()["video"]["frame_count"]
    truth = [hand.truth_of(studio.home, 1, frame) == OBJECT for frame in range(frames)]
    hand.draw(page, hand.middle_of(truth[0]))
    hand.run(page, 1)

    masks = hand.masks_of_head(page)
    assert sorted(masks) == list(range(frames))
    scores = [jaccard(t.astype(np.uint8), (masks[i] == 1).astype(np.uint8), 1)[0] for i, t in enumerate(truth)]
    worst = int(np.argmin(scores))
    missed = truth[worst] & (masks[worst] != 1)
    extra = ~truth[worst] & (masks[worst] == 1)
    hand.to_frame(page, worst)
    if extra.sum() > missed.sum():
        page.keyboard.press("0")  # The next scribble is for the background.
    hand.draw(page, hand.middle_of(extra if extra.sum() > missed.sum() else missed))
    hand.run(page, 2)

    exported = hand.exported_masks(page)
    assert sorted(exported) == list(range(frames))
    scores = [jaccard(t.astype(np.uint8), (exported[i] == 1).astype(np.uint8), 1)[0] for i, t in enumerate(truth)]
    assert np.mean(scores) >= 0.8
    for frame, labels in hand.masks_of_head(page).items():
        np.testing.assert_array_equal(labels, exported[frame])


def test_undo_and_redo_of_a_round_move_the_head(page: Page) -> None:
    """This test needs the two rounds that `test_two_rounds_give_the_object_and_the_export_has_it` has run before."""
    hand.open_video(page)
    second = hand.masks_of_head(page)
    page.keyboard.press("Control+z")
    expect(page.get_by_test_id("round-1")).to_have_attribute("data-head", "true")
    expect(page.get_by_test_id("round-2")).to_have_attribute("data-undone", "true")
    first = hand.masks_of_head(page)
    assert any((first[frame] != second[frame]).any() for frame in second)
    page.keyboard.press("Control+Shift+z")
    expect(page.get_by_test_id("round-2")).to_have_attribute("data-head", "true")
    again = hand.masks_of_head(page)
    assert all((again[frame] == second[frame]).all() for frame in second)


def test_the_studio_fits_its_windows(
    page_at: Callable[[tuple[int, int]], Page], shot: Callable[[Page, str], None]
) -> None:
    for size in ((1440, 900), (1024, 768)):
        page = page_at(size)
        hand.open_video(page)
        page.wait_for_timeout(500)
        shot(page, f"studio-{size[0]}")
        wide = page.evaluate("() => document.documentElement.scrollWidth")
        assert wide <= size[0]
        for name in ("round-run", "timeline", "tool-scribble", "objects"):
            box = page.get_by_test_id(name).bounding_box()
            assert box
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= size[0]
