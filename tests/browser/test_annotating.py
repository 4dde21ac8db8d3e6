"""Tests of clicks, boxes and previews, of spans of frames, of edits of objects, and of rounds that wait on the server.

They use the fake engine of the tests, and share one server and one video; each test draws on other frames.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.browser import hand
from tests.browser.conftest import Visitors
from tests.browser.test_painting import at, click, finger, new_object, on_screen, paint, painted, shown
from tests.studio import Studio, until

pytestmark = pytest.mark.browser

# The engine waits 0.02 s at each frame, so a round of 96 frames takes about 2 s.
FAKE = {"MASKWRIGHT_ENGINES": "tests.segmentation.fake_engine", "FAKE_ENGINE_SLEEP": "0.02"}


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    with Studio(tmp_path_factory.mktemp("annotating"), **FAKE) as running:
        yield running


def opened(visitors: Visitors, username: str = "owner") -> Page:
    page = visitors.open(username)
    hand.open_video(page)
    page.get_by_test_id("engine").click()
    page.get_by_test_id("engine-fake").click()
    return page


@pytest.fixture
def page(visitors: Visitors) -> Page:
    return opened(visitors)


def state(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = page.request.get("/api/videos/1/state").json()
    return found


def prompts(page: Page) -> list[tuple[str, bool]]:
    return [(scribble["kind"], scribble["positive"]) for scribble in state(page)["scribbles"]]


def test_clicks_and_a_box_by_mouse_and_finger_show_a_preview_and_are_one_round(page: Page) -> None:
    hand.to_frame(page, 5)
    page.keyboard.press("k")
    click(page, 0.2, 0.2)
    until(lambda: bool(shown(page)[at(0.2, 0.2)]), "the preview of the click")
    assert state(page)["rounds"] == [], "a preview is no round"
    page.mouse.click(*on_screen(page, [(0.6, 0.6)])[0], button="right")
    finger(page, [(0.2, 0.4)])
    page.keyboard.press("Shift+K")
    hand.draw(page, np.array([(0.3, 0.3), (0.4, 0.4)]))
    until(lambda: len(prompts(page)) == 4, "the prompts")
    assert prompts(page) == [("click", True), ("click", False), ("click", True), ("box", True)]
    page.keyboard.press("Control+z")
    until(lambda: len(prompts(page)) == 3, "the box to go")
    hand.run(page, 1)
    assert painted(page, 5)[at(0.2, 0.4)] == 1
    assert state(page)["scribbles"] == []


def test_a_span_is_accepted_and_marked_absent_and_objects_change_places_and_each_is_undone(page: Page) -> None:
    hand.to_frame(page, 60)
    for y in (0.2, 0.7):
        new_object(page)
        page.keyboard.press("b")
        paint(page, (0.3, y), (0.6, y))
    first, second = sorted({int(value) for value in np.unique(painted(page, 60))} - {0})[-2:]
    page.get_by_test_id(f"object-{first}-menu").click()
    page.get_by_test_id(f"object-{first}-swap-{second}").click()
    until(lambda: painted(page, 60)[at(0.4, 0.2)] == second, "the swap")
    page.keyboard.press("Control+z")
    until(lambda: painted(page, 60)[at(0.4, 0.2)] == first, "the swap to be undone")
    page.get_by_test_id(f"object-{first}-menu").click()
    page.get_by_test_id(f"object-{first}-merge-{second}").click()
    until(lambda: painted(page, 60)[at(0.4, 0.2)] == second, "the merge")
    page.keyboard.press("Control+z")
    until(lambda: painted(page, 60)[at(0.4, 0.2)] == first, "the merge to be undone")

    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    expect(page.get_by_test_id("span-frames")).to_contain_text("60–62")
    page.keyboard.press("u")
    until(lambda: state(page)["absent"] == {str(second): [[60, 62]]}, "the absent span")
    page.keyboard.press("Control+z")
    until(lambda: state(page)["absent"].get(str(second), []) == [], "it to be undone")
    page.keyboard.press("a")
    until(lambda: "60" in state(page)["accepted"], "the accepted span")
    page.keyboard.press("Control+z")
    until(lambda: state(page)["accepted"] == {}, "it to be undone")


def test_a_round_behind_somebody_else_s_is_computed_although_its_author_leaves(page: Page, visitors: Visitors) -> None:
    visitors.open("ben")
    page.goto(f"/projects/{state(page)['video']['project']}")
    page.get_by_test_id("tab-members").click()
    page.get_by_test_id("invite-username").fill("ben")
    page.get_by_test_id("invite-submit").click()
    expect(page.get_by_test_id("member-ben")).to_be_visible()
    hand.open_video(page)
    other = opened(visitors, "ben")
    numbers = len(state(page)["rounds"])
    hand.to_frame(page, 30)
    hand.draw(page, np.array([(0.2, 0.5), (0.4, 0.5)]))
    other.keyboard.press("2")  # whoever draws on an object holds it for a while
    hand.to_frame(other, 32)
    hand.draw(other, np.array([(0.2, 0.8), (0.4, 0.8)]))
    hand.saved(other)
    page.keyboard.press("r")
    expect(other.get_by_test_id(f"round-{numbers + 1}")).to_be_visible()
    other.keyboard.press("r")
    until(lambda: len(state(page)["rounds"]) == numbers + 2, "the round to wait")
    other.context.close()
    hand.ended(page, numbers + 1)
    hand.ended(page, numbers + 2)
