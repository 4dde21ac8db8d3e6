"""Faults of a site on one machine: its worker and its web process are killed, and its broker gets broken messages."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import httpx

from tests import small_home
from tests.faults.table import Row, repeat
from tests.house.test_main_path import FAKE, SCRIBBLE
from tests.house.visitor import VideoVisit, Visitor
from tests.studio import Studio, until
from tests.webapp.tasks import test_folder_broker as broker

SLOW = {**FAKE, "FAKE_ENGINE_SLEEP": "0.01"}
SLOWER = {**FAKE, "FAKE_ENGINE_SLEEP": "0.03"}  # For the small video, so that a round takes as long.


def faults(*, short: bool) -> Iterator[Row]:
    """Make all faults of a site on one machine, and yield a row for each. If `short`, each is made once, on a small
    video.
    """
    with tempfile.TemporaryDirectory(prefix="maskwright-faults-") as folder:
        home = Path(folder) / "home"
        if short:
            small_home.fill(home)
        with Studio(home, **(SLOWER if short else SLOW)) as studio, Visitor(studio) as owner:
            site = Site(studio, owner)
            yield repeat("the worker is killed in a round", 1 if short else 50, site.kill_worker)
            sockets, tries = (5, 1) if short else (20, 10)
            yield repeat(f"the web process is killed under {sockets} sockets", tries, lambda _: site.kill_web(sockets))
            yield repeat("broken messages reach the worker", 1 if short else 10, site.break_messages)
        if not short:  # The tests of the broker do the same with fewer messages.
            yield messages(4000)


def messages(each: int) -> Row:
    """Let three processes write `each` messages into the broker of one machine while three others read them.

    A message that is not read exactly once counts as a loss.
    """

    def attempt(_: int) -> int:
        with tempfile.TemporaryDirectory(prefix="maskwright-messages-") as folder:
            read = broker.exchange(Path(folder), broker.SCHEME, each)
        return sum(read[f"{writer}.{number}"] != 1 for writer in range(broker.WRITERS) for number in range(each))

    return repeat(f"{broker.WRITERS * each} messages between six processes", 1, attempt)


class Site:
    """A running site with one video and one object. Its methods cause faults while rounds run, and count what is
    lost.
    """

    def __init__(self, studio: Studio, owner: Visitor) -> None:
        self._studio, self._owner = studio, owner
        self._video = owner.sample_video()
        self._frames = int(owner.call("GET", f"/videos/{self._video}")["frame_count"])
        self._head: int | None = None
        with owner.open(self._video) as page:
            self._object = page.ask("object.add", name="Koi")
        self._whole = self._masks_of_round(lambda page: None)

    def kill_worker(self, number: int) -> int:
        """Kill the worker in the middle of a round. Return how many masks differ from those of a round without a
        fault.
        """

        def kill(page: VideoVisit) -> None:
            page.masks_until(5 + number % 40)
            self._studio.children()["rounds"].kill()

        masks = self._masks_of_round(kill)
        return sum(masks.get(frame) != data for frame, data in self._whole.items())

    def kill_web(self, sockets: int) -> int:
        """Kill the web process after `sockets` people have drawn a scribble each, while their sockets are open.

        Return how many of the acknowledged scribbles are gone.
        """
        with ExitStack() as stack:
            pages = [stack.enter_context(self._owner.open(self._video)) for _ in range(sockets)]
            acknowledged = {self._draw(page, frame=3) for page in pages}
            self._studio.children()["web"].kill()
            until(self._answers, "a new web process", 60)
        return len(acknowledged - self._stored())

    def break_messages(self, number: int) -> int:
        """Put broken messages into the queue of the worker, and run a round.

        Return how many of its masks differ from those of a round without a fault, plus 1 if the worker was restarted.
        """
        worker = self._studio.children()["rounds"]
        for name, data in enumerate(broker.BROKEN.values()):
            path = self._studio.home / "queue" / "messages" / f"0_{number}-{name}.rounds.msg"
            path.with_suffix(".new").write_bytes(data)
            path.with_suffix(".new").rename(path)
        masks = self._masks_of_round(lambda page: None)
        lost = sum(masks.get(frame) != data for frame, data in self._whole.items())
        return lost + (self._studio.children()["rounds"].pid != worker.pid)

    def round_while(self, fault: Callable[[], None], *, after_masks: int) -> int:
        """Run a round, make a fault when some masks have come, and return how many masks differ from those of a round
        without a fault.
        """

        def make(page: VideoVisit) -> None:
            page.masks_until(after_masks)
            fault()

        masks = self._masks_of_round(make)
        return sum(masks.get(frame) != data for frame, data in self._whole.items())

    def differing(self) -> int:
        """Return how many masks of the newest round now differ from those of a round without a fault."""
        assert self._head is not None
        now = self._masks_of(self._owner, self._head)
        return sum(now.get(frame) != data for frame, data in self._whole.items())

    def strokes_lost(self, count: int, *, may_be_refused: bool = False) -> int:
        """Draw `count` scribbles. Return how many of those that were acknowledged are not stored.

        A scribble that the server refuses counts as lost, too, unless it `may_be_refused`.
        """
        acknowledged, refused = set(), 0
        with self._owner.open(self._video) as page:
            for _ in range(count):
                try:
                    acknowledged.add(self._draw(page, frame=7))
                except AssertionError:
                    refused += 1
        return len(acknowledged - self._stored()) + (0 if may_be_refused else refused)

    def crowd(self, count: int, at_once: int) -> int:
        """Ask for the list of projects `count` times, `at_once` at a time.

        Return how many answers are neither the list nor 503, with which a site asks to come again later. One more is
        added if fewer than `at_once` answers are the list, and one if an answer afterwards is not.
        """

        async def ask() -> list[httpx.Response]:
            limits = httpx.Limits(max_connections=at_once, max_keepalive_connections=0)
            address, cookies = self._studio.address, self._owner.http.cookies
            async with httpx.AsyncClient(base_url=address, cookies=cookies, limits=limits, timeout=60) as people:
                return await asyncio.gather(*(people.get("/api/projects") for _ in range(count)))

        statuses = [answer.status_code for answer in asyncio.run(ask())]
        after = self._owner.http.get("/api/projects").status_code
        wrong = sum(status not in (200, 503) for status in statuses)
        return wrong + (statuses.count(200) < at_once) + (after != 200)

    def content(self, owner: Visitor | None = None) -> dict[str, bytes]:
        """Return the keys of the waiting scribbles, and the masks of the newest round, as `owner` sees them.

        If `owner` is signed in at another site, the content of that site is returned. None means the owner of this
        site.
        """
        owner = owner or self._owner
        assert self._head is not None
        masks = self._masks_of(owner, self._head)
        return {**dict.fromkeys(self._stored(owner), b""), **{f"frame {at}": data for at, data in masks.items()}}

    def strokes_while(self, down: Callable[[], None], up: Callable[[], None]) -> int:
        """Draw twelve scribbles during a fault. Return how many are not stored, or were acknowledged later than 4 s.

        Raises AssertionError if one is refused.
        """
        acknowledged, late = set(), 0
        with self._owner.open(self._video) as page:
            down()
            try:
                for _ in range(12):
                    began = time.monotonic()
                    acknowledged.add(self._draw(page, frame=5))
                    late += time.monotonic() - began > 4
            finally:
                up()
        return late + len(acknowledged - self._stored())

    def _masks_of_round(self, disturb: Callable[[VideoVisit], None]) -> dict[int, bytes]:
        """Run a round on the video without masks, and return its masks. Meanwhile `disturb(page)` is called."""
        with self._owner.open(self._video) as page:
            if self._head is not None:
                page.ask("head.move", from_round=self._head, to_round=None)
            page.ask("scribble.add", frame=0, object=self._object, path=SCRIBBLE)
            made = page.ask("round.run", frames=[0], engine="fake", base=None)
            assert made is not None
            self._head = made
            disturb(page)
            page.round_in("done", made, 90)
        return self._masks_of(self._owner, made)

    def _masks_of(self, owner: Visitor, made: int) -> dict[int, bytes]:
        return {frame: labels.tobytes() for frame, labels in owner.masks(made, self._frames - 1).items()}

    def _draw(self, page: VideoVisit, frame: int) -> str:
        """Draw a scribble and return the key that it was sent with. Raise AssertionError if it is refused."""
        key = str(uuid4())
        page.ask("scribble.add", key=key, frame=frame, object=self._object, path=SCRIBBLE)
        return key

    def _stored(self, owner: Visitor | None = None) -> set[str]:
        """Return the keys of the scribbles that wait for a round, as `owner` sees them."""
        state = (owner or self._owner).call("GET", f"/videos/{self._video}/state")
        return {scribble["key"] for scribble in state["scribbles"]}

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self._studio.address}/healthz", timeout=2).status_code == 200
        except httpx.TransportError:
            return False
