"""Tests of rounds and scribbles that something disturbs, such as a reload, a killed worker or a lost connection.

They use a slow fake engine, so that a round is still running at that moment. Others are of undo and the keyboard.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.browser import hand
from tests.browser.conftest import Visitors
from tests.studio import Studio, until

pytestmark = pytest.mark.browser

# The engine waits 0.06 s at each frame, so a round of 96 frames takes about 6 s.
FAKE = {"MASKWRIGHT_ENGINES": "tests.segmentation.fake_engine", "FAKE_ENGINE_SLEEP": "0.06"}
LINE = np.array([[0.3, 0.5], [0.4, 0.5], [0.5, 0.52]])
BELOW = LINE + np.array([0.0, 0.2])


@pytest.fixture
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """Run a new server (`manage.py serve`) for each test, so that no test sees the rounds of another test."""
    with Studio(tmp_path_factory.mktemp("rounds"), **FAKE) as running:
        yield running


@pytest.fixture
def page(visitors: Visitors) -> Page:
    page = visitors.open()
    hand.open_video(page)
    return with_fake(page)


def with_fake(page: Page) -> Page:
    page.get_by_test_id("engine").click()
    page.get_by_test_id("engine-fake").click()
    return page


def frames_done(page: Page, number: int = 1) -> int:
    state = page.request.get("/api/videos/1/state").json()
    return sum(entry["done"] for entry in state["rounds"] if entry["number"] == number)


def scribbles_waiting(page: Page) -> list[dict]:
    return list(page.request.get("/api/videos/1/state").json()["scribbles"])


def test_a_reload_during_a_round_loses_nothing(page: Page) -> None:
    hand.to_frame(page, 12)
    hand.draw(page, LINE)
    page.keyboard.press("r")
    until(lambda: frames_done(page) > 5, "a few frames")
    hand.draw(page, BELOW)  # This scribble waits for the next round.
    hand.saved(page)
    page.reload()
    expect(page.get_by_test_id("hud-frame")).to_have_text("frame 12")
    hand.ended(page, 1)
    assert len(scribbles_waiting(page)) == 1
    assert sorted(hand.masks_of_head(page)) == list(range(96))


def test_a_cancelled_round_keeps_what_it_finished(page: Page) -> None:
    hand.draw(page, LINE)
    page.keyboard.press("r")
    until(lambda: frames_done(page) > 3, "a few frames")
    page.keyboard.press("Escape")
    hand.ended(page, 1, "cancelled")
    assert 3 < len(hand.masks_of_head(page)) < 96
    hand.draw(page, BELOW)
    hand.run(page, 2)
    assert len(hand.masks_of_head(page)) == 96


def test_a_killed_worker_comes_back_and_the_round_goes_on(page: Page, studio: Studio) -> None:
    hand.draw(page, LINE)
    page.keyboard.press("r")
    until(lambda: frames_done(page) > 10, "a few frames")
    killed = studio.children()["rounds"].pid
    studio.children()["rounds"].kill()
    expect(page.get_by_test_id("banner-worker")).to_be_visible()
    until(lambda: studio.children().get("rounds") is not None and studio.children()["rounds"].pid != killed, "a worker")
    hand.ended(page, 1)
    expect(page.get_by_test_id("banner-worker")).to_be_hidden()
    masks = hand.masks_of_head(page)
    assert sorted(masks) == list(range(96))


def test_a_scribble_drawn_offline_is_sent_once_when_the_connection_is_back(page: Page) -> None:
    page.context.set_offline(True)
    # `set_offline` does not close a socket that is open, so the test sends the event that a browser would send.
    page.evaluate("() => window.dispatchEvent(new Event('offline'))")
    expect(page.get_by_test_id("banner-offline")).to_be_visible()
    hand.draw(page, LINE)
    page.wait_for_timeout(500)
    assert scribbles_waiting_by_server(page) == 0
    page.context.set_offline(False)
    page.evaluate("() => window.dispatchEvent(new Event('online'))")
    expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "live", timeout=30_000)
    hand.saved(page)
    assert len(scribbles_waiting(page)) == 1
    page.reload()
    hand.open_video(page)
    assert len(scribbles_waiting(page)) == 1


def scribbles_waiting_by_server(page: Page) -> int:
    """Return how many scribbles of the video wait for a round, according to the server.

    The request comes from Playwright and not from the page, so it works while the page is offline.
    """
    return len(scribbles_waiting(page))


def test_undo_takes_back_a_waiting_scribble_before_a_round(page: Page) -> None:
    hand.draw(page, LINE)
    hand.run(page, 1)
    hand.draw(page, BELOW)
    hand.saved(page)
    page.keyboard.press("Control+z")
    until(lambda: not scribbles_waiting(page), "the scribble to go")
    expect(page.get_by_test_id("round-1")).to_have_attribute("data-head", "true")
    page.keyboard.press("Control+z")
    expect(page.get_by_test_id("round-1")).to_have_attribute("data-undone", "true")


def test_two_people_see_each_other_s_scribbles_and_rounds(page: Page, visitors: Visitors) -> None:
    other = visitors.open()  # A second window of the same user sees what another member would see.
    hand.open_video(other)
    with_fake(other)
    hand.draw(page, LINE)
    hand.saved(page)
    until(lambda: len(scribbles_waiting(other)) == 1, "the scribble")
    page.keyboard.press("r")
    expect(other.get_by_test_id("round-1")).to_be_visible()
    hand.ended(other, 1)
    # A round that is run in the second window builds on the first one, and both windows show it as the head.
    hand.draw(other, BELOW)
    hand.run(other, 2)
    expect(page.get_by_test_id("round-2")).to_have_attribute("data-head", "true")


def test_the_keyboard_alone_is_enough(page: Page) -> None:
    page.keyboard.press("n")
    expect(page.get_by_test_id("object-1")).to_have_attribute("data-chosen", "true")
    page.keyboard.press("n")
    expect(page.get_by_test_id("object-2")).to_have_attribute("data-chosen", "true")
    page.keyboard.press("1")
    expect(page.get_by_test_id("object-1")).to_have_attribute("data-chosen", "true")
    for key in ("j", "Space", *8 * ["ArrowRight"], "Space", "Escape"):  # The pen that arrow keys move.
        page.keyboard.press(key)
    hand.saved(page)
    page.keyboard.press("Enter")
    hand.ended(page, 1)
    for key in ("Shift+ArrowRight", "Shift+ArrowRight", "a", "Escape"):  # Selects frames 0 to 2 and accepts them.
        page.keyboard.press(key)
    expect(page.get_by_test_id("timeline-legend")).to_contain_text("3 accepted")
    page.keyboard.press("Control+z")  # This takes the acceptance back, not the round.
    expect(page.get_by_test_id("timeline-legend")).not_to_contain_text("3 accepted")
    page.keyboard.press("End")
    expect(page.get_by_test_id("hud-frame")).to_have_text("frame 95")
    page.keyboard.press("d")
    expect(page.get_by_test_id("hud-frame")).to_have_text("frame 94")
    page.keyboard.press("?")
    expect(page.get_by_test_id("help-dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("help-dialog")).to_be_hidden()
    page.keyboard.press("Control+z")
    expect(page.get_by_test_id("round-1")).to_have_attribute("data-undone", "true")
