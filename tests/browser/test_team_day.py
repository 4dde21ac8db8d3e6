"""Test of the day of a team of three, in a project of twelve videos with hidden ground truth.

A manager deals a job to an annotator, and mixes in a known clip. The annotator works on both. A reviewer sends the
first one back, and accepts the second. Both are flagged. A stroke is undone, and a deleted video is restored.
"""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visitors
from tests.browser.hand import masks_of_head, saved
from tests.studio import Studio, until

pytestmark = pytest.mark.browser

SAMPLE = 1  # the id of the sample project, and of its video
CLIPS = 12


def invite(manager: Page, username: str, role: str) -> None:
    manager.get_by_test_id("invite-username").fill(username)
    manager.get_by_test_id("invite-role").select_option(role)
    manager.get_by_test_id("invite-submit").click()
    expect(manager.get_by_test_id(f"member-{username}")).to_be_visible()


def add_clips(manager: Page) -> None:
    """Copy the sample video until the project has `CLIPS` videos, all of which have hidden ground truth."""
    token = next(cookie["value"] for cookie in manager.context.cookies() if cookie["name"] == "csrftoken")
    body = {"ids": [SAMPLE], "action": "copy", "project": SAMPLE}
    for _ in range(CLIPS - 1):
        sent = manager.request.post(f"/api/projects/{SAMPLE}/videos/actions", data=body, headers={"X-CSRFToken": token})
        assert sent.ok, sent.text()


def paint(page: Page, down: float = 0.5) -> None:
    """Paint a short line with the brush, `down` (0..1) of the frame's height, so that the frame has a mask."""
    page.get_by_test_id("tool-brush").click()
    box = page.get_by_test_id("canvas-frame").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * down)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + box["height"] * down, steps=4)
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


def mix_in_a_known_clip(manager: Page) -> None:
    """The manager puts a copy of a clip with ground truth into the annotator's queue.

    The annotator is proposed for a clip that she does not know; the first one is that of her job.
    """
    manager.get_by_test_id("tab-quality").click()
    manager.get_by_test_id(f"mix-in-{SAMPLE + 1}").click()
    expect(manager.get_by_test_id("mix-in-person-ann")).to_be_checked()
    manager.get_by_test_id("mix-in-yes").click()
    expect(manager.get_by_test_id("toasts")).to_contain_text("is in the queues of 1 person")


def deal(manager: Page) -> None:
    """The manager invites an annotator and a reviewer, and sets that jobs are reviewed and ought to reach a J&F of 0.5.

    The annotator may have one job at most, so she gets one of the twelve videos, and a known clip besides.
    """
    add_clips(manager)
    manager.goto(f"/projects/{SAMPLE}/members")
    invite(manager, "ann", "annotator")
    invite(manager, "rev", "reviewer")
    manager.get_by_test_id("tab-settings").click()
    manager.get_by_test_id("settings-review").select_option("yes")
    manager.get_by_test_id("settings-team-save").click()
    expect(manager.get_by_test_id("settings-team-save")).to_be_disabled()
    manager.get_by_test_id("tab-quality").click()
    manager.get_by_test_id("quality-least").fill("0.5")
    manager.get_by_test_id("quality-save").click()
    manager.get_by_test_id("tab-videos").click()
    expect(manager.get_by_test_id(re.compile(r"^video-open-\d+$"))).to_have_count(CLIPS, timeout=60_000)
    manager.get_by_test_id("jobs-deal").click()
    expect(manager.get_by_test_id("deal-person-ann")).to_be_checked()
    manager.get_by_test_id("deal-most").fill("1")
    manager.get_by_test_id("deal-yes").click()
    expect(manager.get_by_test_id("toasts")).to_contain_text("1 job dealt")
    mix_in_a_known_clip(manager)


def work_and_submit(annotator: Page) -> None:
    """The annotator finds the first job in the queue, works, takes a stroke back, and submits the job."""
    annotator.goto("/work")
    expect(annotator.get_by_test_id("notifications-unread")).to_be_visible()
    expect(annotator.get_by_test_id("work-next")).to_contain_text("Koi pond")
    annotator.keyboard.press("j")
    strip = annotator.get_by_test_id("job-strip")
    expect(strip).to_have_attribute("data-state", "annotation-new")
    paint(annotator)
    expect(strip).to_have_attribute("data-state", "annotation-in_progress")
    before = masks_of_head(annotator)[0].tobytes()
    paint(annotator, down=0.7)
    assert masks_of_head(annotator)[0].tobytes() != before
    annotator.keyboard.press("Control+z")
    until(lambda: masks_of_head(annotator)[0].tobytes() == before, "undo")
    annotator.keyboard.press("Control+Enter")
    expect(annotator.get_by_test_id("submit-unfinished")).to_contain_text("not accepted")
    annotator.get_by_test_id("submit-yes").click()
    expect(strip).to_have_attribute("data-state", "validation-new")


def work_on_the_next(annotator: Page) -> str:
    """The annotator goes on with the next job, the known clip, and submits it. Return the address of the job."""
    annotator.keyboard.press("Shift+N")
    strip = annotator.get_by_test_id("job-strip")
    expect(strip).to_have_attribute("data-state", "annotation-new")
    expect(annotator).to_have_url(re.compile(rf"/videos/{CLIPS + 1}\b"))
    expect(annotator.get_by_test_id("video-name")).to_have_text("Koi pond")  # It looks like any other video.
    paint(annotator)
    expect(strip).to_have_attribute("data-state", "annotation-in_progress")
    annotator.get_by_test_id("job-submit").click()
    annotator.get_by_test_id("submit-yes").click()
    expect(strip).to_have_attribute("data-state", "validation-new")
    return annotator.url


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
    """The job that came back is the first of the queue. The annotator resolves its pins and submits it again."""
    annotator.goto("/work")
    expect(annotator.get_by_test_id("work-next")).to_contain_text("Rejected")
    annotator.keyboard.press("j")
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


def review_and_accept(reviewer: Page, address: str) -> None:
    """The reviewer goes through the frames of a job that have a mask, accepts them, and then the job."""
    reviewer.goto(address)
    expect(reviewer.get_by_test_id("job-strip")).to_have_attribute("data-state", "validation-new")
    reviewer.keyboard.press("Shift+R")
    expect(reviewer.get_by_test_id("review-place")).to_contain_text("frame 0")
    reviewer.keyboard.press("Enter")
    expect(reviewer.get_by_test_id("review-done")).to_be_visible()
    reviewer.keyboard.press("Shift+A")
    expect(reviewer.get_by_test_id("job-strip")).to_have_attribute("data-state", "acceptance-completed")


def read_numbers_and_log(manager: Page) -> None:
    """The manager sees the work that hidden ground truth has flagged, the numbers, and what was done."""
    flagged = manager.get_by_test_id("quality-jobs").get_by_text("below threshold")
    expect(flagged).to_have_count(2, timeout=30_000)  # The list has been open since the deal and hears of submissions.
    manager.get_by_test_id("tab-numbers").click()
    expect(manager.get_by_test_id("numbers-jobs")).to_contain_text("To review 1")  # A known clip is no progress.
    expect(manager.get_by_test_id("numbers")).to_contain_text("ann")
    manager.get_by_test_id("tab-audit").click()
    expect(manager.get_by_test_id("audit")).to_contain_text(re.compile("rev.*accepted the job"))


def delete_and_restore(manager: Page) -> None:
    """The manager deletes a clip by mistake, and gets it back from the trash."""
    manager.get_by_test_id("tab-videos").click()
    manager.get_by_test_id(f"video-select-{CLIPS}").click()
    manager.get_by_test_id("selection-delete").click()
    manager.get_by_test_id("confirm-yes").click()
    expect(manager.get_by_test_id(f"video-{CLIPS}")).to_have_count(0)
    manager.goto("/trash")
    manager.get_by_test_id(f"trash-restore-video-{CLIPS}").click()
    expect(manager.get_by_test_id(f"trash-video-{CLIPS}")).to_have_count(0)
    manager.goto(f"/projects/{SAMPLE}")
    expect(manager.get_by_test_id(f"video-{CLIPS}")).to_be_visible()


def test_the_day_of_a_team(visitors: Visitors, studio: Studio) -> None:
    annotator, reviewer, manager = visitors.open("ann"), visitors.open("rev"), visitors.open()
    deal(manager)
    work_and_submit(annotator)
    second = work_on_the_next(annotator)
    send_back_with_two_pins(reviewer)
    resolve_and_submit_again(annotator)
    review_and_accept(reviewer, second)
    read_numbers_and_log(manager)
    delete_and_restore(manager)
