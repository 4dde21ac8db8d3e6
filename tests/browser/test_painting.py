"""Tests of the tools that paint masks by hand: with mouse, pen and finger, offline, and by two people at once.

They use the fake engine of the tests. They share one server and one video; each test paints on other frames.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Page, expect

from tests.browser import hand
from tests.browser.conftest import Visitors
from tests.studio import Studio, until

pytestmark = pytest.mark.browser

FAKE = {"MASKWRIGHT_ENGINES": "tests.segmentation.fake_engine"}
Points = Sequence[tuple[float, float]]  # points (x, y), each 0..1 of the frame's width or height
HEIGHT, WIDTH = 480, 854  # of the sample video


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    with Studio(tmp_path_factory.mktemp("painting"), **FAKE) as running:
        yield running


@pytest.fixture
def page(visitors: Visitors) -> Page:
    page = visitors.open()
    hand.open_video(page)
    page.get_by_test_id("engine").click()
    page.get_by_test_id("engine-fake").click()
    return page


def on_screen(page: Page, points: Points) -> list[tuple[float, float]]:
    box = page.get_by_test_id("canvas-frame").bounding_box()
    assert box
    return [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]


def finger(page: Page, points: Points) -> None:
    """Touch the canvas with one finger and move it along `points`."""
    session = page.context.new_cdp_session(page)
    places = [{"x": x, "y": y} for x, y in on_screen(page, points)]
    session.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": places[:1]})
    for place in places[1:]:
        session.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [place]})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    session.detach()


def pen(page: Page, points: Points, pressure: float) -> None:
    """Move a pen along `points` on the canvas. It presses with `pressure` (0..1)."""
    session = page.context.new_cdp_session(page)
    places = on_screen(page, points)
    common = {"pointerType": "pen", "button": "left", "force": pressure, "clickCount": 1}
    for kind, (x, y) in zip(["mousePressed", *["mouseMoved"] * len(places)], [places[0], *places], strict=True):
        session.send("Input.dispatchMouseEvent", {"type": kind, "x": x, "y": y, "buttons": 1, **common})
    x, y = places[-1]
    session.send("Input.dispatchMouseEvent", {"type": "mouseReleased", "x": x, "y": y, **common})
    session.detach()


def click(page: Page, x: float, y: float) -> None:
    page.mouse.click(*on_screen(page, [(x, y)])[0])


def painted(page: Page, frame: int) -> NDArray[np.uint8]:
    """Return the mask of a frame that is stored on the server: object ids [H, W], zeros if there is none."""
    return hand.masks_of_head(page).get(frame, np.zeros((HEIGHT, WIDTH), np.uint8))


def shown(page: Page) -> NDArray[np.bool_]:
    """Return which pixels of the mask that the page shows are not transparent: bool [H, W]."""
    rows = page.evaluate(
        """() => {
          const canvas = document.querySelector('[data-testid=canvas-mask]');
          const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
          let text = '';
          for (let i = 3; i < data.length; i += 4) text += data[i] > 0 ? '1' : '0';
          return text;
        }"""
    )
    return (np.frombuffer(rows.encode(), np.uint8) == ord("1")).reshape(HEIGHT, WIDTH)


def at(x: float, y: float) -> tuple[int, int]:
    """Return the row and the column of the pixel at the point (x, y), each 0..1 of the frame's width or height."""
    return int(y * HEIGHT), int(x * WIDTH)


def until_painted(page: Page, frame: int, number: int, point: tuple[float, float]) -> None:
    until(lambda: bool(painted(page, frame)[at(*point)] == number), "the painting")


def until_shown(page: Page, *points: tuple[float, float]) -> None:
    until(lambda: all(shown(page)[at(*point)] for point in points), "the paintings on screen")


def new_object(page: Page) -> int:
    """Make a new object with the keyboard and return its object id. The page selects the new object."""
    before = objects(page)
    page.keyboard.press("n")
    until(lambda: len(objects(page)) > len(before), "the object")
    return max(objects(page))


def objects(page: Page) -> list[int]:
    return [int(entry["number"]) for entry in page.request.get("/api/videos/1/state").json()["objects"]]


def paint(page: Page, *points: tuple[float, float]) -> None:
    """Draw along `points` with the mouse, and wait until the server has stored the painted mask."""
    before = newest(page)
    hand.draw(page, np.array(points))
    until(lambda: newest(page) != before, "the painting")


def newest(page: Page) -> dict[str, Any] | None:
    """Return the newest version (round, painted mask or edit) of the video, or None if there is none."""
    rounds = page.request.get("/api/videos/1/state").json()["rounds"]
    return max(rounds, key=lambda entry: entry["id"]) if rounds else None


def test_a_round_keeps_what_was_painted_to_the_pixel(page: Page) -> None:
    hand.to_frame(page, 10)
    first = new_object(page)
    page.keyboard.press("b")
    paint(page, (0.3, 0.4), (0.5, 0.45))
    before = painted(page, 10)
    assert (before == first).sum() > 1000
    np.testing.assert_array_equal(shown(page), before > 0)
    hand.to_frame(page, 14)
    page.keyboard.press("s")
    hand.draw(page, np.array([(0.6, 0.5), (0.7, 0.55)]))
    page.keyboard.press("r")

    def ran() -> bool:
        last = newest(page)
        return last is not None and last["origin"] == "round" and last["state"] == "done"

    until(ran, "the round", 60)
    after = hand.masks_of_head(page)
    assert len(after) > 90
    np.testing.assert_array_equal(after[10] == first, before == first)


def test_each_painting_is_undone_and_redone_by_itself(page: Page) -> None:
    hand.to_frame(page, 20)
    number = new_object(page)
    page.keyboard.press("b")
    paint(page, (0.2, 0.3), (0.4, 0.3))
    one = painted(page, 20) == number
    paint(page, (0.2, 0.6), (0.4, 0.6))
    until(lambda: (painted(page, 20) == number).sum() > one.sum(), "the second painting")
    two = painted(page, 20) == number
    page.keyboard.press("Control+z")
    until(lambda: ((painted(page, 20) == number) == one).all(), "the first painting alone")
    page.keyboard.press("Control+Shift+z")
    until(lambda: ((painted(page, 20) == number) == two).all(), "both paintings")


def test_the_eraser_takes_away_and_the_right_button_adds(page: Page) -> None:
    hand.to_frame(page, 22)
    number = new_object(page)
    page.keyboard.press("b")
    for _ in range(4):
        page.keyboard.press("]")
    paint(page, (0.3, 0.5), (0.6, 0.5))
    page.keyboard.press("Shift+E")
    for _ in range(4):
        page.keyboard.press("[")
    paint(page, (0.45, 0.4), (0.45, 0.6))
    mask = painted(page, 22) == number
    assert mask[at(0.35, 0.5)]
    assert not mask[at(0.45, 0.5)]
    (x, y), (x1, y1) = on_screen(page, [(0.45, 0.5), (0.46, 0.5)])
    page.mouse.move(x, y)
    page.mouse.down(button="right")
    page.mouse.move(x1, y1)
    page.mouse.up(button="right")
    until(lambda: bool((painted(page, 22) == number)[at(0.45, 0.5)]), "the pixels to come back")


def test_a_finger_paints_and_a_pen_paints_as_wide_as_it_presses(page: Page) -> None:
    hand.to_frame(page, 24)
    number = new_object(page)
    page.keyboard.press("b")
    finger(page, [(0.2, 0.2), (0.3, 0.2), (0.4, 0.2)])
    until_painted(page, 24, number, (0.3, 0.2))
    for pressure, y in ((0.1, 0.5), (1.0, 0.8)):
        pen(page, [(0.2, y), (0.3, y), (0.4, y)], pressure)
        until_painted(page, 24, number, (0.3, y))
    mask = painted(page, 24) == number
    column = at(0.3, 0)[1]
    light, strong = mask[at(0, 0.4)[0] : at(0, 0.6)[0], column].sum(), mask[at(0, 0.7)[0] : at(0, 0.9)[0], column].sum()
    assert 0 < light < strong / 2


def test_a_polygon_is_drawn_moved_and_taken(page: Page) -> None:
    hand.to_frame(page, 26)
    number = new_object(page)
    page.keyboard.press("Shift+P")
    for x, y in ((0.2, 0.2), (0.6, 0.2), (0.6, 0.6)):
        click(page, x, y)
    hand.draw(page, np.array([(0.6, 0.6), (0.6, 0.8)]))  # drags the last corner of the polygon
    assert not (painted(page, 26) == number).any()
    page.keyboard.press("Enter")
    until(lambda: bool((painted(page, 26) == number).any()), "the polygon")
    mask = painted(page, 26) == number
    assert mask[at(0.58, 0.7)]
    assert not mask[at(0.3, 0.6)]
    area = 0.5 * 0.4 * WIDTH * 0.6 * HEIGHT
    assert abs(mask.sum() - area) < 0.02 * area


def test_a_polygon_by_finger_has_buttons_in_place_of_keys(page: Page) -> None:
    hand.to_frame(page, 27)
    number = new_object(page)
    page.get_by_test_id("tool-polygon").click()
    for corner in ((0.2, 0.2), (0.6, 0.2), (0.6, 0.6)):
        finger(page, [corner])
    page.get_by_test_id("polygon-take").click()
    until(lambda: bool((painted(page, 27) == number)[at(0.55, 0.4)]), "the polygon")


def test_holes_are_filled_islands_removed_and_contours_smoothed(page: Page) -> None:
    hand.to_frame(page, 28)
    number = new_object(page)
    page.keyboard.press("b")
    ring = ((0.3, 0.3), (0.5, 0.3), (0.5, 0.6), (0.3, 0.6), (0.3, 0.3))
    paint(page, *ring)
    paint(page, (0.8, 0.8), (0.81, 0.8))
    page.keyboard.press("Shift+F")
    click(page, 0.4, 0.45)
    until(lambda: bool((painted(page, 28) == number)[at(0.4, 0.45)]), "the hole to be filled")
    click(page, 0.8, 0.8)
    until(lambda: not (painted(page, 28) == number)[at(0.8, 0.8)], "the island to go")
    before = painted(page, 28) == number
    page.keyboard.press("Shift+S")
    for _ in range(3):
        page.keyboard.press("]")
    paint(page, (0.5, 0.27), (0.52, 0.3))  # over a corner of the painted ring
    until(lambda: bool(((painted(page, 28) == number) != before).any()), "the corner to be smoother")
    changed = (painted(page, 28) == number) != before
    assert changed.sum() < 600


def test_other_objects_keep_their_pixels_as_the_switch_says(page: Page) -> None:
    hand.to_frame(page, 30)
    lower = new_object(page)
    page.keyboard.press("b")
    paint(page, (0.3, 0.5), (0.6, 0.5))
    upper = new_object(page)
    page.get_by_test_id("paint-over-none").check(force=True)
    paint(page, (0.45, 0.3), (0.45, 0.7))
    until(lambda: bool((painted(page, 30) == upper).any()), "the second object")
    assert painted(page, 30)[at(0.45, 0.5)] == lower
    page.get_by_test_id("paint-over-all").check(force=True)
    paint(page, (0.45, 0.3), (0.45, 0.7))
    until(lambda: painted(page, 30)[at(0.45, 0.5)] == upper, "the pixels of the first object")


def test_a_painting_made_offline_survives_a_reload(page: Page) -> None:
    hand.to_frame(page, 32)
    number = new_object(page)
    page.keyboard.press("b")
    page.context.set_offline(True)
    page.evaluate("() => window.dispatchEvent(new Event('offline'))")
    expect(page.get_by_test_id("banner-offline")).to_be_visible()
    hand.draw(page, np.array([(0.3, 0.3), (0.5, 0.3)]))
    assert shown(page)[at(0.4, 0.3)]
    page.wait_for_timeout(300)
    page.context.set_offline(False)
    page.reload()
    hand.open_video(page)
    hand.to_frame(page, 32)
    until(lambda: bool((painted(page, 32) == number)[at(0.4, 0.3)]), "the painting")
    assert shown(page)[at(0.4, 0.3)]


def test_two_people_paint_different_objects_at_once(page: Page, visitors: Visitors) -> None:
    hand.to_frame(page, 34)
    mine, theirs = new_object(page), new_object(page)
    other = visitors.open()
    hand.open_video(other)
    for window, number, y in ((page, mine, 0.3), (other, theirs, 0.6)):
        hand.to_frame(window, 34)
        window.get_by_test_id(f"object-{number}-choose").click()
        window.keyboard.press("b")
        hand.draw(window, np.array([(0.3, y), (0.5, y)]))

    def both() -> bool:
        mask = painted(page, 34)
        return mask[at(0.4, 0.3)] == mine and mask[at(0.4, 0.6)] == theirs

    until(both, "both paintings")
    for window in (page, other):
        until_shown(window, (0.4, 0.3), (0.4, 0.6))


def test_painting_on_an_accepted_frame_is_refused_with_a_sentence(page: Page) -> None:
    hand.to_frame(page, 36)
    new_object(page)
    page.keyboard.press("b")
    paint(page, (0.3, 0.3), (0.5, 0.3))
    hand.saved(page)
    page.wait_for_timeout(500)  # the page accepts a mask only as the server stored it, which arrives after the answer
    page.keyboard.press("a")
    expect(page.get_by_test_id("frame-accept")).to_contain_text("accepted")
    before = painted(page, 36)
    hand.draw(page, np.array([(0.3, 0.6), (0.5, 0.6)]))
    expect(page.get_by_test_id("toast").filter(has_text="This frame is accepted")).to_be_visible()
    np.testing.assert_array_equal(painted(page, 36), before)


def test_a_brush_of_no_or_two_thousand_pixels_is_refused_with_a_sentence(page: Page) -> None:
    page.keyboard.press("b")
    size = page.get_by_test_id("paint-size")
    before = size.input_value()
    for wrong in ("0", "2000"):
        size.fill(wrong)
        size.press("Tab")
        expect(page.get_by_test_id("toast").filter(has_text="A brush has from")).to_be_visible()
        expect(size).to_have_value(before)


def test_the_alt_key_and_the_wheel_change_the_size_of_the_brush(page: Page) -> None:
    page.keyboard.press("b")
    page.mouse.move(*on_screen(page, [(0.5, 0.5)])[0])
    before = int(page.get_by_test_id("paint-size").input_value())
    page.keyboard.down("Alt")
    page.mouse.wheel(0, -300)
    page.keyboard.up("Alt")
    until(lambda: int(page.get_by_test_id("paint-size").input_value()) > before, "a larger brush")


def test_the_view_helps_without_changing_masks(page: Page) -> None:
    hand.to_frame(page, 38)
    new_object(page)
    page.keyboard.press("b")
    paint(page, (0.3, 0.3), (0.5, 0.3))
    before = painted(page, 38)
    page.get_by_test_id("picture-fold").click()
    for value in ("checkerboard", "#000000", "colour"):
        page.get_by_test_id("view-ground").select_option(value)
        page.wait_for_timeout(150)
    alpha = page.evaluate(
        """([x, y]) => document.querySelector('[data-testid=canvas-frame]')
             .getContext('2d').getImageData(x, y, 1, 1).data[3]""",
        [int(0.7 * WIDTH), int(0.7 * HEIGHT)],
    )
    assert alpha == 0  # The page shows the object without its background.
    page.locator("label", has=page.get_by_test_id("mode-overlay")).click()
    expect(page.get_by_test_id("mode-overlay")).to_be_checked()
    page.get_by_test_id("view-color-by").select_option("confidence")
    page.get_by_test_id("view-gamma").fill("1.5")
    page.keyboard.press("z")
    page.keyboard.press("Shift+O")
    page.mouse.move(*on_screen(page, [(0.4, 0.4)])[0])
    page.wait_for_timeout(200)
    np.testing.assert_array_equal(painted(page, 38), before)
    page.get_by_test_id("picture-reset").click()
    page.get_by_test_id("view-color-by").select_option("object")


def test_two_rounds_are_compared_with_a_slider_and_in_turn(page: Page) -> None:
    hand.to_frame(page, 40)
    new_object(page)
    page.keyboard.press("b")
    paint(page, (0.1, 0.3), (0.9, 0.3))
    until(lambda: bool(shown(page)[at(0.2, 0.3)]), "the painting on screen")
    page.keyboard.press("y")
    expect(page.get_by_test_id("compare-handle")).to_be_visible()
    until(lambda: not shown(page)[at(0.2, 0.3)] and bool(shown(page)[at(0.8, 0.3)]), "the older round on the left")
    page.get_by_test_id("compare-handle").focus()
    for _ in range(25):
        page.keyboard.press("ArrowLeft")
    until(lambda: bool(shown(page)[at(0.2, 0.3)]), "the newer round")
    page.get_by_test_id("compare-blink").check(force=True)
    until(lambda: not shown(page)[at(0.8, 0.3)], "the older round", 5)
    until(lambda: bool(shown(page)[at(0.8, 0.3)]), "the newer round", 5)
    page.get_by_test_id("compare-end").click()
    expect(page.get_by_test_id("compare")).to_have_count(0)
