"""Tests of the pages other than that of a video, for example of projects, uploads and members."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.clips import write_mp4
from tests.browser.conftest import Visitors
from tests.browser.contrast import faint_texts
from tests.browser.names import nameless_controls
from tests.browser.targets import small_targets
from tests.studio import Studio

pytestmark = pytest.mark.browser

IMPORT_MS = 60_000
SIZES = [(1440, 900), (1024, 768)]
TABS = ("videos", "guide", "members", "exports", "numbers", "audit", "settings")


def make_project(page: Page, name: str) -> int:
    """Create a project on the page that lists the projects, and return its id. The page of the project is then open."""
    page.get_by_test_id("project-new").click()
    page.get_by_test_id("new-project-name").fill(name)
    page.get_by_test_id("new-project-create").click()
    expect(page.get_by_test_id("project-name")).to_have_text(name)
    found = re.search(r"/projects/(\d+)$", page.url)
    assert found
    return int(found[1])


def bring_in(page: Page, *paths: Path) -> None:
    page.get_by_test_id("videos-files").set_input_files([str(path) for path in paths])


def card(page: Page, name: str) -> Locator:
    """Return the entry of the video called `name` in the list of videos."""
    return page.get_by_test_id("videos").locator("li").filter(has_text=name)


def test_a_link_signs_in_once(visitors: Visitors, studio: Studio) -> None:
    link = studio.sign_in_link("owner")
    first = visitors.open(None)
    first.goto(link)
    expect(first.get_by_test_id("projects")).to_contain_text("Sample")
    second = visitors.open(None)
    second.goto(link)
    expect(second.locator("h1")).to_have_text("This link is used up")


def test_an_owner_makes_a_project_and_finds_it_empty(page: Page) -> None:
    number = make_project(page, "Reef")
    expect(page.get_by_test_id("videos-empty")).to_contain_text("Drop a video here")
    expect(page.get_by_test_id("project-role")).to_have_text("owner")
    page.get_by_test_id("home").click()
    expect(page.get_by_test_id(f"project-{number}")).to_contain_text("0 videos")


def test_an_mp4_is_uploaded_imported_and_opened(page: Page, tmp_path: Path) -> None:
    make_project(page, "Harbour")
    bring_in(page, write_mp4(tmp_path / "ferry 01.mp4", frames=30))
    found = card(page, "ferry 01")
    expect(found).to_have_attribute("data-state", "ready", timeout=IMPORT_MS)
    expect(found).to_contain_text("30 frames · 1.3 s")
    expect(found).to_contain_text("320×180 · 24 fps")
    expect(found).to_contain_text("not started")
    page.wait_for_function("() => document.querySelector('[data-testid=videos] img')?.naturalWidth > 0")
    expect(page.get_by_test_id("tab-videos")).to_contain_text("1")
    found.get_by_text("ferry 01").click()
    page.wait_for_url(re.compile(r"/videos/\d+$"))


def test_files_can_be_dropped_anywhere_many_at_once(page: Page, tmp_path: Path) -> None:
    make_project(page, "Drop")
    files = [
        {
            "name": f"take {take}.mp4",
            "data": base64.b64encode(write_mp4(tmp_path / "x.mp4", frames=8).read_bytes()).decode(),
        }
        for take in (1, 2, 3)
    ]
    transfer = page.evaluate_handle(
        """(files) => {
          const transfer = new DataTransfer();
          for (const { name, data } of files) {
            const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
            transfer.items.add(new File([bytes], name));
          }
          return transfer;
        }""",
        files,
    )
    expect(page.get_by_test_id("videos-empty")).to_be_visible()  # from now on the page takes what is dropped
    page.locator("body").dispatch_event("dragenter", {"dataTransfer": transfer})
    expect(page.get_by_test_id("drop-zone")).to_be_visible()
    page.locator("body").dispatch_event("drop", {"dataTransfer": transfer})
    expect(page.get_by_test_id("drop-zone")).to_be_hidden()
    for take in (1, 2, 3):
        expect(card(page, f"take {take}")).to_have_attribute("data-state", "ready", timeout=IMPORT_MS)


def test_a_file_that_is_no_video_is_refused_with_a_sentence_and_cleared_away(page: Page, tmp_path: Path) -> None:
    make_project(page, "Refused")
    playlist = tmp_path / "holiday.mp4"
    playlist.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nhttp://localhost/a.ts\n")
    bring_in(page, playlist)
    found = card(page, "holiday")
    expect(found).to_have_attribute("data-state", "failed", timeout=IMPORT_MS)
    expect(found).to_contain_text("playlist")
    found.get_by_text("Remove").click()
    expect(page.get_by_test_id("videos-empty")).to_be_visible()
    page.reload()
    expect(page.get_by_test_id("videos-empty")).to_be_visible()


def test_an_empty_file_is_refused_before_it_is_sent(page: Page, tmp_path: Path) -> None:
    make_project(page, "Empty file")
    (tmp_path / "nothing.mp4").touch()
    bring_in(page, tmp_path / "nothing.mp4")
    expect(page.get_by_test_id("upload-text-nothing.mp4")).to_have_text("The file is empty.")
    page.get_by_test_id("upload-cancel-nothing.mp4").click()
    expect(page.get_by_test_id("uploads")).to_have_count(0)


class BrokenLine:
    """Makes requests of a page fail as a lost connection does: the first chunk of an upload arrives, later ones do not.

    When `mended` is set to True, all chunks arrive. `offsets` lists the byte offset of each chunk that the page sent.
    """

    def __init__(self, page: Page) -> None:
        self.offsets: list[int] = []
        self.mended = False
        page.route("**/api/uploads/*", self._pass)

    def _pass(self, route: Route) -> None:
        offset = route.request.headers.get("upload-offset")
        if offset is not None:
            self.offsets.append(int(offset))
        if offset not in (None, "0") and not self.mended:
            route.abort("connectionfailed")
        else:
            route.continue_()


def test_an_upload_goes_on_by_itself_when_the_connection_comes_back(page: Page, tmp_path: Path) -> None:
    make_project(page, "Broken line")
    line = BrokenLine(page)
    bring_in(page, write_mp4(tmp_path / "long.mp4", padding=4_000_000))
    row = page.get_by_test_id("upload-long.mp4")
    expect(row).to_have_attribute("data-state", "broken")
    expect(row).to_contain_text("goes on by itself")
    line.mended = True
    expect(card(page, "long")).to_have_attribute("data-state", "ready", timeout=IMPORT_MS)
    assert line.offsets.count(0) == 1


def test_an_upload_goes_on_after_a_reload_when_the_same_file_is_given(page: Page, tmp_path: Path) -> None:
    make_project(page, "Reload")
    file = write_mp4(tmp_path / "long.mp4", padding=4_000_000)
    line = BrokenLine(page)
    bring_in(page, file)
    row = page.get_by_test_id("upload-long.mp4")
    expect(row).to_have_attribute("data-state", "broken")
    page.get_by_test_id("upload-pause-long.mp4").click()
    expect(row).to_have_attribute("data-state", "paused")
    page.reload()
    expect(row).to_have_attribute("data-state", "missing")
    expect(row).to_contain_text("Drop the same file again")
    line.mended = True
    sent = len(line.offsets)
    bring_in(page, file)
    expect(card(page, "long")).to_have_attribute("data-state", "ready", timeout=IMPORT_MS)
    assert line.offsets[sent] > 0


def test_a_member_is_invited_and_sees_only_what_a_viewer_may_do(visitors: Visitors) -> None:
    guest = visitors.open("guest")
    expect(guest.get_by_test_id("projects-empty")).to_be_visible()
    page = visitors.open()
    number = make_project(page, "Shared")
    page.get_by_test_id("tab-members").click()
    page.get_by_test_id("invite-username").fill("nobody-of-that-name")
    page.get_by_test_id("invite-submit").click()
    expect(page.get_by_test_id("invite-username-error")).to_contain_text("no user called nobody-of-that-name")
    page.get_by_test_id("invite-username").fill("guest")
    page.get_by_test_id("invite-role").select_option("viewer")
    page.get_by_test_id("invite-submit").click()
    expect(page.get_by_test_id("member-guest")).to_be_visible()

    guest.reload()
    guest.get_by_test_id(f"project-open-{number}").click()
    expect(guest.get_by_test_id("project-role")).to_have_text("viewer")
    expect(guest.get_by_test_id("videos-empty")).to_be_visible()
    expect(guest.get_by_test_id("videos-add")).to_have_count(0)
    expect(guest.get_by_test_id("tab-settings")).to_have_count(0)

    page.get_by_test_id("member-remove-guest").click()
    page.get_by_test_id("confirm-yes").click()
    expect(page.get_by_test_id("member-guest")).to_have_count(0)
    guest.reload()
    expect(guest.get_by_test_id("state-missing")).to_contain_text("not a member")


def test_the_project_of_others_is_not_found(visitors: Visitors) -> None:
    page = visitors.open("stranger")
    page.goto("/projects/1")
    expect(page.get_by_test_id("state-missing")).to_contain_text("does not exist")
    page.goto("/no/such/page")
    expect(page.get_by_role("heading")).to_have_text("Nothing here")


def test_labels_and_guide_are_kept(page: Page) -> None:
    make_project(page, "Guide")
    page.get_by_test_id("tab-guide").click()
    page.get_by_test_id("guide").fill("Cut out the ferry, not its wake.")
    page.get_by_test_id("guide-save").click()
    page.get_by_test_id("label-add").click()
    page.get_by_test_id("label-name-1").fill("Ferry")
    page.get_by_test_id("label-up-1").click()
    page.get_by_test_id("labels-save").click()
    expect(page.get_by_test_id("labels-save")).to_be_disabled()
    page.reload()
    expect(page.get_by_test_id("guide")).to_have_value("Cut out the ferry, not its wake.")
    expect(page.get_by_test_id("label-name-0")).to_have_value("Ferry")


def test_a_project_is_renamed_and_deleted(page: Page) -> None:
    number = make_project(page, "Short-lived")
    page.get_by_test_id("tab-settings").click()
    page.get_by_test_id("settings-name").fill("Renamed")
    page.get_by_test_id("settings-save").click()
    expect(page.get_by_test_id("project-name")).to_have_text("Renamed")
    page.get_by_test_id("project-delete").click()
    expect(page.get_by_test_id("confirm-yes")).to_be_disabled()
    page.get_by_test_id("confirm-typed").fill("Renamed")
    page.get_by_test_id("confirm-yes").click()
    expect(page.get_by_test_id("projects")).to_be_visible()
    expect(page.get_by_test_id(f"project-{number}")).to_have_count(0)


def test_a_project_is_made_with_the_keyboard_alone(page: Page) -> None:
    expect(page.get_by_test_id("project-new")).to_be_visible()
    for _ in range(10):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement?.dataset.testid") == "project-new":
            break
    page.keyboard.press("Enter")
    page.keyboard.type("By keys")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("project-name")).to_have_text("By keys")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement?.matches(':focus-visible')")


def test_the_account_menu_signs_out(page: Page) -> None:
    page.get_by_test_id("account").click()
    expect(page.get_by_test_id("account-admin")).to_have_attribute("href", "/admin/")
    page.get_by_test_id("account-sign-out").click()
    expect(page.get_by_test_id("sign-in")).to_be_visible()


def test_faint_text_is_found(page: Page) -> None:
    page.goto("about:blank")
    page.set_content("<body style='background:#000'><p style='color:#777'>good</p><p style='color:#666'>faint</p>")
    assert faint_texts(page) == ["3.66: faint"]


def test_a_control_without_a_name_is_found(page: Page) -> None:
    page.goto("about:blank")
    page.set_content("<button></button><button>Save</button><input aria-label='Name'><input>")
    assert [found.split(":")[0] for found in nameless_controls(page)] == ["button", "textbox"]


def test_a_small_target_is_found(page: Page) -> None:
    page.goto("about:blank")
    large = "<button style='width:44px;height:44px' data-testid=large></button>"
    inside = "<label style='display:block;width:50px;height:50px'><input type=checkbox data-testid=inside></label>"
    page.set_content(f"{large}{inside}<button style='width:30px;height:44px' data-testid=small></button>")
    assert small_targets(page) == ["30x44: small"]


def test_a_phone_gets_targets_for_a_thumb_on_every_page(page_at: Callable[[tuple[int, int]], Page]) -> None:
    page = page_at((390, 844))
    expect(page.get_by_test_id("projects")).to_be_visible()
    tabs = [f"/projects/1/{tab}" for tab in TABS]
    for address in ["/", "/work", "/trash", "/audit", "/account", "/status", *tabs, "/projects/1/quality", "/videos/1"]:
        page.goto(address)
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{address} is too wide"
        assert faint_texts(page) == [], address
        assert nameless_controls(page) == [], address
        assert small_targets(page) == [], address
    for open_it, dialog in (("?", "help-dialog"), ("Control+k", "keys-dialog")):
        page.keyboard.press(open_it)
        expect(page.get_by_test_id(dialog)).to_be_visible()
        assert small_targets(page) == [], dialog
        page.keyboard.press("Escape")


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_every_page_fits_has_contrast_and_names_its_controls(
    page_at: Callable[[tuple[int, int]], Page], size: tuple[int, int]
) -> None:
    page = page_at(size)
    expect(page.get_by_test_id("projects")).to_be_visible()
    tabs = [f"/projects/1/{tab}" for tab in TABS]
    addresses = ["/", "/work", "/trash", "/audit", *tabs, "/projects/999999", "/videos/1", "/videos/999999"]
    for address in addresses:
        page.goto(address)
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (
            f"{address} is wider than the window"
        )
        assert faint_texts(page) == [], address
        assert nameless_controls(page) == [], address
    page.goto("/videos/1")
    expect(page.get_by_test_id("tool-scribble")).to_be_visible()
    page.keyboard.down("Alt")  # The keys of the tools are shown while it is held.
    expect(page.locator("html")).to_have_attribute("data-keys", "shown")
    assert faint_texts(page) == []
    page.keyboard.up("Alt")
