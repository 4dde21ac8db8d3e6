"""Test of the day of a team: a manager deals jobs, an annotator works, a reviewer sends one back and accepts it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visitors
from tests.browser.hand import saved
from tests.studio import Studio

pytestmark = pytest.mark.browser

SAMPLE = 1  # the id of the sample project, and of its video


def invite(manager: Page, username: str, role: str) -> None:
    manager.get_by_test_id("invite-username").fill(username)
    manager.get_by_test_id("invite-role").select_option(role)
    manager.get_by_test_id("invite-submit").click()
    expect(manager.get_by_test_id(f"member-{username}")).to_be_visible()


def paint(page: Page) -> None:
    """Paint a short line with the brush, so that the frame has a mask."""
    page.get_by_test_id("tool-brush").click()
    box = page.get_by_test_id("canvas-frame").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.5)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + box["height"] * 0.5, steps=4)
    page.mouse.up()
    saved(page)


def set_pin(page: Page, across: float, text: str) -> None:
    page.keyboard.press("Shift+M")
    box = page.get_by_test_id("canvas-frame").bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] * across, box["y"] + box["height"] * 0.3)
    page.get_by_test_id("pin-text").fill(text)
    page.get_by_test_id("pin-save").click()
    expect(page.get_by_test_id("pin-card")).to_contain_text(text)
    page.get_by_test_id("pin-close").click()


def deal(manager: Page) -> None:
    """The manager invites annotator and reviewer, asks for a review of every job, and deals the jobs."""
    manager.goto(f"/projects/{SAMPLE}/members")
    invite(manager, "ann", "annotator")
    invite(manager, "rev", "reviewer")
    manager.get_by_test_id("tab-settings").click()
    manager.get_by_test_id("settings-review").select_option("yes")
    manager.get_by_test_id("settings-team-save").click()
    expect(manager.get_by_test_id("settings-team-save")).to_be_disabled()
    manager.get_by_test_id("tab-videos").click()
    manager.get_by_test_id("jobs-deal").click()
    expect(manager.get_by_test_id("deal-person-ann")).to_be_checked()
    manager.get_by_test_id("deal-yes").click()
    expect(manager.get_by_test_id("toasts")).to_contain_text("1 job dealt")


def work_and_submit(annotator: Page) -> None:
    """The annotator finds the job in the queue, works, and submits it."""
    annotator.goto("/work")
    expect(annotator.get_by_test_id("notifications-unread")).to_be_visible()
    expect(annotator.get_by_test_id("work-next")).to_contain_text("Koi pond")
    annotator.keyboard.press("j")
    strip = annotator.get_by_test_id("job-strip")
    expect(strip).to_have_attribute("data-state", "annotation-new")
    paint(annotator)
    expect(strip).to_have_attribute("data-state", "annotation-in_progress")
    annotator.keyboard.press("Control+Enter")
    expect(annotator.get_by_test_id("submit-unfinished")).to_contain_text("not accepted")
    annotator.get_by_test_id("submit-yes").click()
    expect(strip).to_have_attribute("data-state", "validation-new")


def send_back_with_two_pins(reviewer: Page) -> None:
    """The reviewer sends the job back with two pins."""
    reviewer.goto("/work")
    reviewer.get_by_test_id("work-open-next").click()
    expect(reviewer.get_by_test_id("job-strip")).to_have_attribute("data-state", "validation-new")
    set_pin(reviewer, 0.3, "The edge is off.")
    set_pin(reviewer, 0.6, "The tail is missing.")
    expect(reviewer.get_by_test_id("job-pins")).to_have_text("2 open pins")
    reviewer.keyboard.press("Shift+X")
    reviewer.get_by_test_id("reject-note").fill("See the pins.")
    reviewer.get_by_test_id("reject-yes").click()
    expect(reviewer.get_by_test_id("job-strip")).to_have_attribute("data-state", "annotation-rejected")


def resolve_and_submit_again(annotator: Page) -> None:
    """The job comes back while the annotator has the video open, who resolves the pins and submits it again."""
    strip = annotator.get_by_test_id("job-strip")
    expect(strip).to_have_attribute("data-state", "annotation-rejected")
    for _ in range(2):
        annotator.get_by_test_id("job-pins").click()
        annotator.get_by_test_id("pin-resolve").click()
        expect(annotator.get_by_test_id("pin-reopen")).to_be_visible()
        annotator.get_by_test_id("pin-close").click()
    expect(annotator.get_by_test_id("job-pins")).to_have_count(0)
    annotator.get_by_test_id("job-start").click()
    annotator.get_by_test_id("job-submit").click()
    annotator.get_by_test_id("submit-yes").click()


def review_and_accept(reviewer: Page) -> None:
    """The reviewer goes through the frames that have a mask, accepts them, and then the job."""
    expect(reviewer.get_by_test_id("job-strip")).to_have_attribute("data-state", "validation-new")
    reviewer.keyboard.press("Shift+R")
    expect(reviewer.get_by_test_id("review-place")).to_contain_text("frame 0")
    reviewer.keyboard.press("Enter")
    expect(reviewer.get_by_test_id("review-done")).to_be_visible()
    reviewer.keyboard.press("Shift+A")
    expect(reviewer.get_by_test_id("job-strip")).to_have_attribute("data-state", "acceptance-completed")


def read_numbers_and_log(manager: Page) -> None:
    """The manager reads the numbers and what was done."""
    manager.get_by_test_id("tab-numbers").click()
    expect(manager.get_by_test_id("numbers-jobs")).to_contain_text("Accepted 1")
    expect(manager.get_by_test_id("numbers")).to_contain_text("ann")
    manager.get_by_test_id("tab-audit").click()
    expect(manager.get_by_test_id("audit")).to_contain_text(re.compile("rev.*accepted the job"))


def test_the_day_of_a_team(visitors: Visitors, studio: Studio) -> None:
    annotator, reviewer, manager = visitors.open("ann"), visitors.open("rev"), visitors.open()
    deal(manager)
    work_and_submit(annotator)
    send_back_with_two_pins(reviewer)
    resolve_and_submit_again(annotator)
    review_and_accept(reviewer)
    read_numbers_and_log(manager)
