"""Tests of a video with 120 versions, of which the page loads the newest at first: undo, the history, reloads.

One round of the fake engine is run on the page, and 119 painted masks are made over REST. The tests share them.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from uuid import uuid4

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser import hand
from tests.browser.conftest import Visitors
from tests.browser.test_painting import HEIGHT, WIDTH, at, shown
from tests.studio import Studio, until
from webapp.annotation.codec import encode

pytestmark = pytest.mark.browser

FAKE = {"MASKWRIGHT_ENGINES": "tests.segmentation.fake_engine"}
LINE = np.array([[0.3, 0.5], [0.4, 0.5], [0.5, 0.52]])
VERSIONS, FRAMES, NEWEST = 120, 96, 30
CORNER = (0.05, 0.1)  # a point that only the painted masks have
OLD_FRAME = 50  # painted by version 51 only
Shot = Callable[[Page, str], None]


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    with Studio(tmp_path_factory.mktemp("older"), **FAKE) as running:
        yield running


@pytest.fixture
def page(visitors: Visitors) -> Page:
    page = visitors.open()
    hand.open_video(page)
    if page.request.get("/api/videos/1/state").json()["head"] is None:
        page.get_by_test_id("engine").click()
        page.get_by_test_id("engine-fake").click()
        hand.draw(page, LINE)
        hand.run(page, 1)
        for version in range(2, VERSIONS + 1):
            paint(page, (version - 1) % FRAMES)
    else:
        command(page, "head.move", from_round=head(page), to_round=hand.rounds_of(page)[0]["id"])
    page.reload()
    expect(row(page, VERSIONS)).to_have_attribute("data-head", "true")
    return page


def command(page: Page, kind: str, **fields: object) -> None:
    cookies = {cookie["name"]: cookie["value"] for cookie in page.context.cookies()}
    answer = page.request.post(
        "/api/videos/1/commands",
        data={"type": kind, "key": str(uuid4()), **fields},
        headers={"X-CSRFToken": cookies["csrftoken"]},
    )
    assert answer.ok, answer.text()


def paint(page: Page, frame: int) -> None:
    labels = np.zeros((HEIGHT, WIDTH), np.uint8)
    row_, column = at(*CORNER)
    labels[row_ - 30 : row_ + 30, column - 30 : column + 30] = 1
    data = base64.b64encode(encode(labels)).decode()
    command(page, "mask.paint", frame=frame, object=1, data=data, over="all")


def head(page: Page) -> int:
    return int(page.request.get("/api/videos/1/state").json()["head"])


def row(page: Page, number: int) -> Locator:
    return page.get_by_test_id(f"round-{number}")


def until_corner_shows(page: Page, there: bool) -> None:
    until(lambda: bool(shown(page)[at(*CORNER)]) == there, "the mask of the frame")


def scribble_is_drawn(page: Page) -> bool:
    """Return whether the canvas of scribbles has something on it in the middle of the first version's scribble."""
    return bool(
        page.evaluate(
            """([x, y]) => {
              const [frame, top] = ['frame', 'top'].map((name) =>
                document.querySelector(`[data-testid=canvas-${name}]`));
              const [box, all] = [frame.getBoundingClientRect(), top.getBoundingClientRect()];
              const scale = top.width / all.width;
              const [left, upper] = [box.left + x * box.width - all.left, box.top + y * box.height - all.top];
              return top.getContext('2d').getImageData(left * scale, upper * scale, 1, 1).data[3] > 0;
            }""",
            list(LINE[1]),
        )
    )


def test_a_video_opens_with_its_newest_versions_and_shows_the_masks_of_all(page: Page, shot: Shot) -> None:
    expect(row(page, VERSIONS - NEWEST + 1)).to_be_attached()
    expect(row(page, VERSIONS - NEWEST)).to_have_count(0)
    expect(page.get_by_test_id("rounds-older")).to_have_text(f"Show older rounds ({VERSIONS - NEWEST})")
    hand.to_frame(page, OLD_FRAME)
    until_corner_shows(page, True)
    shot(page, "older-opened")
    hand.to_frame(page, 0)  # The first version drew on it; it is painted by version 97.
    until_corner_shows(page, True)


def test_the_history_goes_back_to_the_first_version(page: Page, shot: Shot) -> None:
    page.get_by_test_id("rounds-older").click()
    expect(row(page, VERSIONS - 2 * NEWEST + 1)).to_be_attached()
    box = page.get_by_test_id("rounds").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    for _ in range(40):  # Scrolling to the end loads the next page.
        page.mouse.wheel(0, 2000)
        page.wait_for_timeout(100)
        if row(page, 1).count():
            break
    page.mouse.wheel(0, 20_000)
    expect(row(page, 1)).to_be_visible()
    expect(page.get_by_test_id("rounds-older")).to_have_count(0)
    shot(page, "older-all")
    page.get_by_test_id("round-1-look").click()
    expect(page.get_by_test_id("banner-looking")).to_contain_text("round 1")
    hand.to_frame(page, OLD_FRAME)
    until_corner_shows(page, False)


def test_undo_and_redo_cross_the_edge_of_what_is_loaded(page: Page, visitors: Visitors, shot: Shot) -> None:
    other = visitors.open()
    hand.open_video(other)
    last = VERSIONS - NEWEST - 4
    for number in range(VERSIONS - 1, last - 1, -1):
        page.keyboard.press("Control+z")
        expect(row(page, number)).to_have_attribute("data-head", "true")
    expect(row(other, last)).to_have_attribute("data-head", "true")
    frame = last % FRAMES  # of the version that was undone last; it has no other painted mask
    hand.to_frame(page, frame)
    until_corner_shows(page, False)
    hand.to_frame(page, OLD_FRAME)
    until_corner_shows(page, True)
    expect(row(page, VERSIONS)).to_have_attribute("data-undone", "true")
    shot(page, "older-undone")
    page.reload()
    expect(row(page, last)).to_have_attribute("data-head", "true")
    expect(row(page, VERSIONS)).to_have_attribute("data-undone", "true")  # Redo leads to it, so it is not folded.
    for number in (last + 1, last + 2):
        page.keyboard.press("Control+Shift+z")
        expect(row(page, number)).to_have_attribute("data-head", "true")
        expect(row(other, number)).to_have_attribute("data-head", "true")
    hand.to_frame(page, frame)
    until_corner_shows(page, True)


def test_the_scribbles_of_a_version_that_is_not_loaded_are_drawn(page: Page, shot: Shot) -> None:
    hand.to_frame(page, 0)
    with page.expect_response(lambda answer: "/line/scribbles" in answer.url) as answer:
        page.reload()
    assert [scribble["frame"] for scribble in answer.value.json()["scribbles"]] == [0]
    until(lambda: scribble_is_drawn(page), "the scribble of the first version")
    shot(page, "older-scribbles")
    page.get_by_test_id("view-showUsed").click()
    until(lambda: not scribble_is_drawn(page), "the frame without used scribbles")
    page.get_by_test_id("view-showUsed").click()
    until(lambda: scribble_is_drawn(page), "the scribble again")


def test_a_page_of_the_history_that_does_not_come_can_be_asked_for_again(page: Page, shot: Shot) -> None:
    def fail(route: Route) -> None:
        route.fulfill(status=500, json={"code": "failed", "text": "The server failed."})

    page.route("**/rounds?before=*", fail)
    # A click of the mouse would scroll to the row first, which asks for the page by itself and replaces the row.
    page.get_by_test_id("rounds-older").dispatch_event("click")
    expect(page.get_by_test_id("rounds-older-failed")).to_contain_text("could not be loaded")
    page.get_by_test_id("rounds-older-retry").scroll_into_view_if_needed()
    shot(page, "older-failed")
    page.unroute("**/rounds?before=*")
    page.get_by_test_id("rounds-older-retry").click()
    expect(row(page, VERSIONS - NEWEST)).to_be_attached()
