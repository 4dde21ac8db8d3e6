"""Tests of signing in with a link and with a password, and of the page of somebody who is not signed in."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visitors
from tests.studio import Studio

pytestmark = pytest.mark.browser


def test_the_link_leads_to_the_sample_project(page: Page, shot: Callable[[Page, str], None]) -> None:
    expect(page.get_by_test_id("projects")).to_contain_text("Sample")
    shot(page, "projects")
    page.get_by_text("Sample", exact=True).first.click()
    expect(page.get_by_test_id("videos")).to_contain_text("Koi pond")
    shot(page, "project")


def test_the_page_may_load_what_it_needs_and_nothing_is_stopped(page: Page, visitors: Visitors) -> None:
    expect(page.get_by_test_id("projects")).to_be_visible()
    policy = page.request.get("/").headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert visitors.complaints == []


def test_whoever_is_signed_out_is_asked_to_sign_in(visitors: Visitors, studio: Studio) -> None:
    page = visitors.open(None)
    expect(page.get_by_test_id("sign-in")).to_be_visible()
    page.goto(f"{studio.address}/projects/1")
    expect(page.get_by_test_id("sign-in")).to_be_visible()


def test_a_wrong_password_is_said_in_a_sentence(visitors: Visitors) -> None:
    page = visitors.open(None)
    page.get_by_label("User name").fill("owner")
    page.get_by_label("Password").fill("not this one")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("sign-in-problem")).to_contain_text("do not fit together")
