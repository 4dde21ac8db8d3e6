"""Annotate two objects of a video in the studio as a person would, and print how good the exported masks are.

`python -m tests.latency.two_people DIR --sequence NAME --objects 1 5` takes a folder in the DAVIS layout with masks. A
simulated person opens the sequence in Chromium, and works on at most six frames with at most 25 actions. She knows what
a person knows who has watched the video: which pixels belong to both objects in each frame, and after every round which
frame is the most wrong one. She does not know what a round will make of her actions.

She begins in the first frame. Then she goes to the frame in which the J of both objects, added up, is lowest, as the
robot of the DAVIS challenge does; with `--advised` she goes where the studio sends her (Tab), and only if it sends her
nowhere to the worst frame. She divides the actions that are left evenly among the frames that are left. Each action
goes to the object with the lower J: a stroke of the brush or the eraser, of a size that she chooses, that goes through
the wrong regions without being lifted. It is longer and more exact than what most people paint. Then a round propagates
the masks through the video. The exit status is 1 if the mean J of an object over all frames stays below 0.85.
"""

# ruff: noqa: E402 (Django is set up before anything that needs it is imported)

from __future__ import annotations

import argparse
import base64
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import django
import numpy as np
from numpy.typing import NDArray

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from playwright.sync_api import Page, expect

from segmentation.evaluation.stroke import middle_path
from tests.browser.hand import draw, exported_masks, masks_of_head, open_video, saved, to_frame, truth_of
from tests.latency import page as pages
from tests.latency.figures import Figure
from tests.studio import Studio, stop_on_sigterm

VIDEO = 2  # The data folder has the sample video already.
FRAMES, ACTIONS, J = 6, 25, 0.85
GOOD = 0.93  # J in a frame at which a person leaves an object alone
PARTS = 8  # wrong regions that a stroke may go through
SIZES = (2, 3, 4, 6, 9, 13)  # pixels of the brushes that a person tries
Mask = NDArray[np.bool_]
# `seenMask` returns which object each pixel of the screen shows.
WATCH = """
(() => {
  window.seenMask = (colors) => {
    const canvas = document.querySelector('[data-testid=canvas-mask]');
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let text = '';
    for (let at = 0; at < data.length; at += 4) {
      const far = colors.map((color) => color.reduce((sum, part, i) => sum + Math.abs(part - data[at + i]), 0));
      text += String.fromCharCode(data[at + 3] === 0 ? 0 : 1 + far.indexOf(Math.min(...far)));
    }
    return btoa(text);
  };
})()
"""


@dataclass
class Work:
    """What a person has done so far, and which frames were worked on.

    `objects` are ids of the true masks. `advised` says whether the person goes to the frames that the studio advises.
    """

    page: Page
    studio: Studio
    objects: list[int]
    advised: bool = False
    counts: Counter[str] = field(default_factory=Counter)
    frames: list[int] = field(default_factory=list)

    @property
    def actions(self) -> int:
        return self.counts.total()


def overlap(truth: Mask, mask: Mask) -> float:
    """Return the J of a mask; 1 if both are empty."""
    either = int((truth | mask).sum())
    return 1.0 if either == 0 else int((truth & mask).sum()) / either


def brush_for(truth: Mask, mask: Mask) -> tuple[bool, NDArray[np.float64], int] | None:
    """Return the best stroke of a brush or of the eraser: whether it adds, its path, and its size in pixels.

    It goes through wrong regions, the largest first, without being lifted. None if no stroke makes the mask better.
    """
    wrong = {True: parts_of(truth & ~mask), False: parts_of(mask & ~truth)}
    found = [(adds, *through(truth, mask, parts, size, adds)) for adds, parts in wrong.items() for size in SIZES]
    adds, good, path, size = max(found, key=lambda entry: entry[1])
    return (adds, path, size) if good > overlap(truth, mask) else None


def parts_of(wrong: Mask) -> list[Mask]:
    """Return the largest connected regions of a mask, the largest first."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(wrong.astype(np.uint8), connectivity=8)
    order = sorted(range(1, count), key=lambda part: -int(stats[part, cv2.CC_STAT_AREA]))
    return [labels == part for part in order[:PARTS]]


def through(
    truth: Mask, mask: Mask, parts: list[Mask], size: int, adds: bool
) -> tuple[float, NDArray[np.float64], int]:
    """Return the best stroke of `size` pixels through some of `parts`: the J of the mask after it, its path, and its
    size.
    """
    path, best = np.empty((0, 2)), overlap(truth, mask)
    for part in parts:
        longer = np.concatenate((path, sweep(part, size)))
        good = overlap(truth, stroked(mask, longer, size, adds))
        if good > best:
            path, best = longer, good
    return best, path, size


def sweep(part: Mask, size: int) -> NDArray[np.float64]:
    """Return the path, points in 0..1, of a brush of `size` pixels that goes around inside a region and fills it."""
    depth = cv2.distanceTransform(np.pad(part, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    rings: list[NDArray[np.int32]] = []
    for least in np.arange(size / 2, float(depth.max()), size):
        found, _ = cv2.findContours((depth >= least).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        ring = max(found, key=len)[:, 0]
        if rings:  # It begins where the ring around it ended.
            ring = np.roll(ring, -int(np.hypot(*(ring - rings[-1][-1]).T).argmin()), axis=0)
        rings.append(np.concatenate((ring[::2], ring[:1])))
    if not rings:
        return middle_path(part)
    height, width = part.shape
    return np.concatenate(rings) / (width - 1, height - 1)


def stroked(mask: Mask, path: NDArray[np.float64], size: int, adds: bool) -> Mask:
    """Return a mask after a stroke of a brush of `size` pixels along `path`, points in 0..1."""
    height, width = mask.shape
    points = np.round(path * (width - 1, height - 1)).astype(np.int32)
    line = np.zeros(mask.shape, np.uint8)
    cv2.polylines(line, [points], False, 1, size)
    return mask | line.astype(bool) if adds else mask & ~line.astype(bool)


def seen(work: Work) -> NDArray[np.uint8]:
    """Return the label map that the screen shows: 0, or 1 + the place of the object among `work.objects`."""
    state = work.page.request.get(f"/api/videos/{VIDEO}/state").json()
    colors = [[int(each["color"][at : at + 2], 16) for at in (1, 3, 5)] for each in state["objects"]]
    height, width = state["video"]["height"], state["video"]["width"]
    text = (
        work.page.evaluate("(colors) => seenMask(colors)", colors)
        if colors
        else base64.b64encode(bytes(height * width))
    )
    return np.frombuffer(base64.b64decode(text), np.uint8).reshape(height, width)


def act(work: Work, place: int, truth: Mask) -> bool:
    """Improve the mask of an object in the frame in view by a stroke of the brush or the eraser.

    `place` is the object's id, and `truth` its true mask there. Return False if no stroke makes the mask better.
    """
    page = work.page
    mask = seen(work) == place
    stroke = brush_for(truth, mask)
    if stroke is None:
        return False
    adds, path, size = stroke
    page.keyboard.press("b" if adds else "Shift+E")
    page.get_by_test_id("paint-size").fill(str(size))
    page.keyboard.press("Enter")
    page.get_by_test_id("stage").focus()
    draw(page, path)
    work.counts["brush" if adds else "eraser"] += 1
    page.wait_for_timeout(1500)
    saved(page)
    good, after = overlap(truth, mask), overlap(truth, seen(work) == place)
    print(f"    object {place}: J {good:.3f} -> {after:.3f} ({work.actions} actions)", flush=True)
    return True


def correct(work: Work, frame: int) -> None:
    """Correct the objects in a frame, the worse one first, until both are good or its share of actions is used up."""
    labels = truth_of(work.studio.home, VIDEO, frame)
    truth = {place: labels == number for place, number in enumerate(work.objects, 1) if (labels == number).any()}
    last = work.actions + share(work.actions, len(work.frames))
    while truth and work.actions < last:
        shown = seen(work)
        good, place = min((overlap(mask, shown == place), place) for place, mask in truth.items())
        if good >= GOOD:
            break
        select(work.page, place)
        if not act(work, place, truth[place]):
            del truth[place]


def share(actions: int, number: int) -> int:
    """Return how many actions the frame with this number, from 1, may get after `actions` actions in earlier frames."""
    return -(-(ACTIONS - actions) // (FRAMES - number + 1))


def select(page: Page, place: int) -> None:
    """Select an object, which is made if it is not there yet."""
    if page.get_by_test_id(f"object-{place}-choose").count():
        page.keyboard.press(str(place))
    else:
        page.keyboard.press("n")
    expect(page.get_by_test_id(f"object-{place}-choose")).to_be_visible()


def propagate(page: Page) -> None:
    """Run a round from what was drawn and painted in the frame in view, and wait for its end."""
    before = {each["id"] for each in page.request.get(f"/api/videos/{VIDEO}/state").json()["rounds"]}
    page.keyboard.press("Enter")
    end = time.monotonic() + 900
    while time.monotonic() < end:
        page.wait_for_timeout(500)
        found = page.request.get(f"/api/videos/{VIDEO}/state").json()["rounds"]
        if found and found[-1]["id"] not in before and found[-1]["state"] not in ("queued", "running"):
            assert found[-1]["state"] == "done", found[-1]
            return
    raise AssertionError("no round ended within 15 minutes")


def scores(work: Work, masks: dict[int, NDArray[np.uint8]]) -> list[dict[int, float]]:
    """Return, for each object, the J of its mask in each frame."""
    return [
        {at: overlap(truth_of(work.studio.home, VIDEO, at) == number, mask == place) for at, mask in masks.items()}
        for place, number in enumerate(work.objects, 1)
    ]


def means(by_frame: list[dict[int, float]]) -> list[float]:
    return [float(np.mean(list(each.values()))) for each in by_frame]


def next_frame(work: Work, j: list[dict[int, float]]) -> tuple[int, str]:
    """Go to the worst frame that was not worked on, or if the person follows the advice, to the frame advised.

    Return the frame and the reason: "advised" or "worst".
    """
    page = work.page
    page.get_by_test_id("stage").focus()
    if work.advised:
        page.keyboard.press("Tab")
        page.wait_for_timeout(1000)
        frame = int(page.get_by_test_id("hud-frame").inner_text().split()[-1])
        if frame != work.frames[-1]:
            return frame, "advised"
    frame = min((at for at in j[0] if at not in work.frames), key=lambda at: sum(each[at] for each in j))
    to_frame(page, frame)
    return frame, "worst"


def annotate(work: Work) -> Iterator[Figure]:
    """Yield the number of actions after each frame, with the J of both objects in its note, and at the end the J of the
    exported masks.
    """
    page, j = work.page, list[dict[int, float]]()
    open_video(page, VIDEO)
    for number in range(FRAMES):
        frame, how = next_frame(work, j) if number else (0, "begins")
        work.frames.append(frame)
        before = work.actions
        correct(work, frame)
        if work.actions > before:
            propagate(page)
        j = scores(work, masks_of_head(page, VIDEO))
        said = f"frame {frame} ({how}), J {' '.join(f'{each:.3f}' for each in means(j))}; {dict(work.counts)}"
        yield Figure(f"After {number + 1} frames: actions", work.actions, "", note=said)
        if min(means(j)) >= J or work.actions >= ACTIONS:
            break
    for object_id, each in zip(work.objects, means(scores(work, exported_masks(page))), strict=True):
        yield Figure(f"J of object {object_id} in the exported masks", each, "", J, "more")
    yield Figure("Actions", work.actions, "", ACTIONS, note=f"frames {work.frames}")


def main() -> int:
    parser = argparse.ArgumentParser(description="Annotate two objects of a video in the studio as a person would.")
    parser.add_argument("folder", type=Path, help="a folder in the DAVIS layout, with masks")
    parser.add_argument("--sequence", required=True)
    parser.add_argument("--objects", type=int, nargs="+", required=True, help="ids of the objects in the true masks")
    parser.add_argument("--advised", action="store_true", help="go to the frames that the studio advises")
    given = parser.parse_args()
    stop_on_sigterm()
    missed = 0
    with tempfile.TemporaryDirectory(prefix="maskwright-people-") as home, Studio(Path(home)) as studio:
        studio.manage("import_davis", str(given.folder), "--project", "Sample", "--sequence", given.sequence)
        begin = lambda page, running: annotate(Work(page, running, given.objects, given.advised))  # noqa: E731
        for figure in pages.in_chromium(studio, begin, WATCH):
            print(figure, flush=True)
            missed += not figure.reached
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
