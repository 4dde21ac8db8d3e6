"""Functions that do what a user does on the page of a video: draw scribbles, run rounds, export masks and so on."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Page, expect

from segmentation.evaluation.stroke import largest_part, middle_path
from webapp.annotation.codec import decode, unpack

Path01 = NDArray[np.float64]  # [P, 2] points (x, y), each 0..1 of the frame's width or height
ROUND_MS = 180_000


def open_video(page: Page, video: int = 1) -> None:
    page.goto(f"/videos/{video}")
    expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "live")
    page.wait_for_function(
        "() => document.querySelector('[data-testid=canvas-frame]')?.getBoundingClientRect().width > 0"
    )


def to_frame(page: Page, frame: int) -> None:
    """Press keys until the page shows frame `frame`: Home goes to frame 0, v ten frames on and f one frame on."""
    page.keyboard.press("Home")
    for _ in range(frame // 10):
        page.keyboard.press("v")
    for _ in range(frame % 10):
        page.keyboard.press("f")
    expect(page.get_by_test_id("hud-frame")).to_have_text(f"frame {frame}")


def draw(page: Page, path: Path01) -> None:
    """Draw one scribble with the mouse along `path`."""
    box = page.get_by_test_id("canvas-frame").bounding_box()
    assert box
    points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in path]
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point)
    page.mouse.up()


def saved(page: Page) -> None:
    """Wait until the page shows that the server has stored every scribble."""
    expect(page.get_by_test_id("hud-saved")).to_contain_text("saved")


def run(page: Page, number: int, state: str = "done") -> None:
    """Press r, which runs a round, and wait until the page shows the state `state` for the round with this number."""
    page.keyboard.press("r")
    ended(page, number, state)


def ended(page: Page, number: int, state: str = "done") -> None:
    expect(page.get_by_test_id(f"round-{number}")).to_have_attribute("data-state", state, timeout=ROUND_MS)


def middle_of(mask: NDArray[np.bool_]) -> Path01:
    """Return a path along the middle of the largest part of `mask`, as a user would draw it."""
    return middle_path(largest_part(mask))[::3]


def truth_of(home: Path, video: int, frame: int) -> NDArray[np.uint8]:
    """Read the ground truth of a frame from the data folder `home`: object ids, uint8 [H, W]."""
    return np.array(Image.open(home / "videos" / str(video) / "truth" / f"{frame:06d}.png"))


def rounds_of(page: Page, video: int = 1) -> list[dict[str, Any]]:
    """Return all rounds of a video, newest first, read in pages."""
    found: list[dict[str, Any]] = []
    query = "?limit=200"
    while query:
        answer = page.request.get(f"/api/videos/{video}/rounds{query}").json()
        found += answer["rounds"]
        query = "" if answer["next"] is None else f"?limit=200&before={answer['next']}"
    return found


def masks_of_head(page: Page, video: int = 1) -> dict[int, NDArray[np.uint8]]:
    """Return the current mask of each frame (object ids [H, W]) by frame, read through the REST calls of the page.

    That is the newest mask of the frame among the head (the round that the video stands at) and the rounds below it.
    """
    state = page.request.get(f"/api/videos/{video}/state").json()
    rounds = {entry["id"]: entry for entry in rounds_of(page, video)}
    line, at = [], state["head"]
    while at is not None:
        line.append(at)
        at = rounds[at]["base"]
    last = state["video"]["frame_count"] - 1
    masks: dict[int, NDArray[np.uint8]] = {}
    for number in reversed(line):
        answer = page.request.get(f"/api/rounds/{number}/masks?first=0&last={last}")
        masks |= {mask.frame: decode(mask.data) for mask in unpack(answer.body())}
    return masks


def exported_masks(page: Page) -> dict[int, NDArray[np.uint8]]:
    """Export the masks in the DAVIS layout with the dialog of the page. Return the masks in the zip, by frame."""
    page.get_by_test_id("export-open").click()
    page.get_by_test_id("export-kind-davis").click()
    page.get_by_test_id("export-make").click()
    link = page.get_by_test_id(re.compile(r"^export-download-\d+$")).first
    expect(link).to_be_visible(timeout=60_000)
    with page.expect_download() as download:
        link.click()
    archive = zipfile.ZipFile(io.BytesIO(Path(download.value.path()).read_bytes()))
    names = [name for name in archive.namelist() if re.search(r"Annotations/.*\d+\.png$", name)]
    return {int(Path(name).stem): np.array(Image.open(io.BytesIO(archive.read(name)))) for name in names}
