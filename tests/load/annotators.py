"""Annotators that draw, each over a socket of their own, and sockets that only listen.

An annotator pauses for two seconds on average before each stroke, once the last stroke is acknowledged and, if it was
followed by a round, the first mask is there. So the load falls if the server is slow.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from websockets.asyncio.client import ClientConnection, connect

from tests.house.test_main_path import SCRIBBLE
from webapp.live.protocol import PROTOCOL_VERSION

PAUSE_SECONDS = 2.0  # The mean pause of an annotator before a stroke.
RUN_EVERY = 5  # The first of five strokes is followed by a round.
PATIENCE = 60.0  # Seconds to wait for an answer or a mask, after which the measurement fails.


@dataclass
class Measured:
    """What is measured: the seconds until strokes were acknowledged, and from a request for a round to its first mask.

    `ended` holds, by the id of a round, the time (as of `time.time`) at which the page was told that it is done.
    """

    acknowledged: list[float] = field(default_factory=list)
    first_mask: list[float] = field(default_factory=list)
    ended: dict[int, float] = field(default_factory=dict)
    strokes: set[str] = field(default_factory=set)  # The keys of the acknowledged strokes.
    refused: int = 0
    closed: int = 0


class Start:
    """Lets annotators begin to draw together, when all of them have opened their videos.

    `wait` is called by each of them and by the measuring program; it returns when `count` annotators have called it.
    """

    def __init__(self, count: int, seconds: float) -> None:
        self._barrier = asyncio.Barrier(count + 1)
        self._seconds = seconds

    async def wait(self) -> float:
        """Wait for the start, and return the time (as of `time.monotonic`) until which to draw."""
        await self._barrier.wait()
        return time.monotonic() + self._seconds


@dataclass(frozen=True)
class Door:
    """Where sockets are opened: the address of the web process, and the cookies of a person."""

    address: str
    cookie: str

    def open(self, video: int) -> Any:
        where = f"{self.address.replace('http://', 'ws://')}/ws/videos/{video}"
        origin: Any = self.address
        return connect(where, origin=origin, additional_headers={"Cookie": self.cookie}, open_timeout=PATIENCE)


async def annotate(door: Door, video: int, start: Start, measured: Measured) -> None:
    """Open a video, draw on it from the start to the end, and add what happened to `measured`."""
    async with door.open(video) as socket:
        page = Page(socket, measured)
        await page.enter()
        number = (await page.ask("object.add", name="Fish"))["result"]
        head: int | None = None
        strokes = 0
        until = await start.wait()
        while time.monotonic() < until:
            await asyncio.sleep(random.uniform(0.5, 1.5) * PAUSE_SECONDS)
            began, strokes = time.monotonic(), strokes + 1
            answer = await page.ask("scribble.add", frame=0, object=number, path=SCRIBBLE)
            measured.acknowledged.append(time.monotonic() - began)
            if answer["type"] == "ack":
                measured.strokes.add(answer["key"])
            if strokes % RUN_EVERY == 1:
                began = time.monotonic()
                page.mask.clear()
                answer = await page.ask("round.run", frames=[0], engine="fake", base=head)
                if answer["type"] == "ack":
                    head = answer["result"]
                    await asyncio.wait_for(page.mask.wait(), PATIENCE)
                    measured.first_mask.append(time.monotonic() - began)
        if head is not None:
            await page.until_done(head)
        page.leave()


async def listen(door: Door, video: int, leave: asyncio.Event, entered: asyncio.Semaphore, measured: Measured) -> None:
    """Keep a socket open that only listens until `leave` is set. `entered` is released when the server has answered."""
    async with door.open(video) as socket:
        page = Page(socket, measured)
        await page.enter()
        entered.release()
        await leave.wait()
        page.leave()


class Page:
    """Reads a socket and sends messages as the page of a person does. `mask` is set whenever masks arrive."""

    def __init__(self, socket: ClientConnection, measured: Measured) -> None:
        self._socket, self._measured = socket, measured
        self._answers: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self.mask, self._ended = asyncio.Event(), asyncio.Event()
        self._reader = asyncio.create_task(self._read())

    async def enter(self) -> None:
        hello = {"type": "resume", "version": PROTOCOL_VERSION, "seq": 0, "mask_seq": 0}
        await self._answer("welcome", hello)

    async def ask(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Send a message, and return its acknowledgement, or the error with which the server refuses it."""
        key = str(uuid4())
        answer = await self._answer(key, {"type": kind, "key": key, **fields})
        self._measured.refused += answer["type"] == "error"
        return answer

    async def until_done(self, made: int) -> None:
        """Wait until the server says that the round with the id `made` is done. Raises TimeoutError."""
        async with asyncio.timeout(PATIENCE):
            while made not in self._measured.ended:
                self._ended.clear()
                await self._ended.wait()

    def leave(self) -> None:
        """Stop reading. A socket that the server has closed before is counted."""
        self._measured.closed += self._reader.done()
        self._reader.cancel()

    async def _answer(self, name: str, message: dict[str, Any]) -> dict[str, Any]:
        self._answers[name] = asyncio.get_running_loop().create_future()
        await self._socket.send(json.dumps(message))
        return await asyncio.wait_for(self._answers[name], PATIENCE)

    async def _read(self) -> None:
        async for data in self._socket:
            if isinstance(data, bytes):
                self.mask.set()
                continue
            message = json.loads(data)
            name = "welcome" if message["type"] == "welcome" else message.get("key", "")
            if message["type"] == "round.changed" and message["round"]["state"] == "done":
                self._measured.ended[message["round"]["id"]] = time.time()
                self._ended.set()
            waiting = self._answers.get(name)
            if waiting is not None and not waiting.done() and message["type"] in ("welcome", "ack", "error"):
                waiting.set_result(message)
