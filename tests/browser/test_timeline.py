"""Tests of the timeline below the video (dragging, keys, zoom, thumbnail of a frame) and of the help dialog."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.browser

LAST = 95  # the last frame of the sample video


@pytest.fixture
def timeline(page: Page) -> Locator:
    page.goto("/videos/1")
    expect(page.get_by_test_id("studio")).to_be_visible()
    found = page.get_by_test_id("timeline")
    expect(found).to_have_attribute("aria-valuemax", str(LAST))
    return found


def at(timeline: Locator, part: float) -> tuple[float, float]:
    """Return a point (x, y) on the timeline in pixels of the window. `part` is 0 at its left and 1 at its right end."""
    box = timeline.bounding_box()
    assert box
    return box["x"] + box["width"] * part, box["y"] + box["height"] / 2


def test_dragging_scrubs_and_shows_the_picture_of_the_frame(page: Page, timeline: Locator) -> None:
    page.mouse.move(*at(timeline, 0.5))
    preview = page.get_by_test_id("timeline-preview")
    expect(preview).to_have_attribute("data-frame", "48")
    expect(timeline).to_have_attribute("aria-valuenow", "0")
    page.wait_for_function("() => document.querySelector('[data-testid=timeline-preview] img').naturalWidth > 0")
    page.mouse.down()
    expect(timeline).to_have_attribute("aria-valuenow", "48")
    page.mouse.move(*at(timeline, 0.25), steps=5)
    expect(timeline).to_have_attribute("aria-valuenow", "24")
    page.mouse.move(*at(timeline, 1.2), steps=5)
    page.mouse.up()
    expect(timeline).to_have_attribute("aria-valuenow", str(LAST))
    expect(page.get_by_test_id("hud-frame")).to_contain_text(str(LAST))
    page.mouse.move(10, 10)
    expect(preview).to_have_count(0)


def test_it_is_a_slider_for_the_keyboard(page: Page, timeline: Locator) -> None:
    timeline.focus()
    for key, frame in (("ArrowRight", 1), ("PageUp", 11), ("ArrowDown", 10), ("End", LAST), ("Home", 0)):
        page.keyboard.press(key)
        expect(timeline).to_have_attribute("aria-valuenow", str(frame))
    expect(timeline).to_have_attribute("aria-valuetext", f"Frame 0 of {LAST}")


def test_the_wheel_zooms_and_a_double_click_shows_all_again(page: Page, timeline: Locator) -> None:
    page.mouse.move(*at(timeline, 0.5))
    page.mouse.wheel(0, -600)
    expect(timeline).to_have_attribute("data-zoomed", "true")
    expect(page.get_by_test_id("timeline-preview")).to_have_attribute("data-frame", "48")
    page.mouse.move(*at(timeline, 0.99))
    shown = int(page.get_by_test_id("timeline-preview").get_attribute("data-frame") or 0)
    assert 48 < shown < 70  # After zooming in, a frame far before the last is at the right end.
    page.mouse.dblclick(*at(timeline, 0.5))
    expect(timeline).to_have_attribute("data-zoomed", "false")


def test_a_frame_is_gone_to_by_its_number(page: Page, timeline: Locator) -> None:
    number = page.get_by_test_id("frame-number")
    expect(number).to_have_value("0000")
    number.click()
    page.keyboard.type("42")
    page.keyboard.press("Enter")
    expect(timeline).to_have_attribute("aria-valuenow", "42")
    expect(number).to_have_value("0042")


def test_the_help_lists_the_keys(page: Page, timeline: Locator) -> None:
    page.keyboard.press("?")
    help_dialog = page.get_by_test_id("help-dialog")
    for what in ("Next frame", "Run round", "Drag on the timeline"):
        expect(help_dialog.get_by_text(what, exact=True)).to_be_visible()
    page.keyboard.press("f")  # While a dialog is open, keys do not move the video.
    page.keyboard.press("Escape")
    expect(help_dialog).to_have_count(0)
    expect(timeline).to_have_attribute("aria-valuenow", "0")
