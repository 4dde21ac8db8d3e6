"""Messages that no page sends: a program changes correct ones at random. No process may end, and the web process may
not use more and more memory or stop answering.
"""

from __future__ import annotations

import base64
import json
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import psutil
from websockets.exceptions import ConnectionClosed

from tests.faults.table import Row, repeat
from tests.house.test_main_path import FAKE, SCRIBBLE
from tests.house.visitor import VideoVisit, Visitor
from tests.studio import Studio, until
from webapp.annotation.codec import encode
from webapp.live.protocol import PROTOCOL_VERSION

MOST_GROWN = 64 << 20  # The bytes by which the web process may grow over all messages.
REFUSED_SOCKET = range(4000, 5000)  # The codes with which the server closes a socket for a reason.
ODD: list[Any] = [None, True, -1, 0, 254, 255, 2**31, 2**63, 1e308, "", "\0", "\ud800", "x" * 5000, [], {}, [[[]]]]
MASK = base64.b64encode(encode(np.ones((480, 854), np.uint8))).decode()
CORRECT: list[dict[str, Any]] = [
    {"type": "resume", "version": PROTOCOL_VERSION, "seq": 0, "mask_seq": 0},
    {"type": "scribble.add", "frame": 3, "object": 1, "path": SCRIBBLE},
    {"type": "prompt.add", "frame": 3, "object": 1, "kind": "box", "points": SCRIBBLE[:2], "positive": True},
    {"type": "object.add", "name": "Koi", "color": "#ff8800", "label": None},
    {"type": "object.update", "number": 1, "name": "Koi", "position": 0, "locked": False},
    {"type": "round.run", "frames": [3], "engine": "fake", "base": None, "span": [0, 9], "direction": "both"},
    {"type": "head.move", "from_round": None, "to_round": None},
    {"type": "frames.accept", "first": 0, "last": 9, "accepted": True, "head": None, "seen": 0},
    {"type": "object.accept", "object": 1, "first": 0, "last": 9, "accepted": True, "head": None, "seen": 0},
    {"type": "mask.paint", "frame": 2, "object": 1, "data": MASK, "over": "all"},
    {"type": "mask.edit", "op": "clear", "objects": [1], "first": 0, "last": 9, "source": None, "into": None},
    {"type": "span.absent", "object": 1, "first": 0, "last": 9, "absent": True},
]


def faults(tries: int) -> Iterator[Row]:
    """Send changed messages to a site on one machine, 200 for each try, and yield a row with the losses."""
    with (
        tempfile.TemporaryDirectory(prefix="maskwright-hostile-") as home,
        Studio(Path(home), **FAKE) as studio,
        Visitor(studio) as owner,
    ):
        target = Target(studio, owner)
        yield repeat("200 messages that a program has changed at random", tries, target.send_changed)


class Target:
    """A running site, its processes at the beginning, and a video to which messages are sent."""

    def __init__(self, studio: Studio, owner: Visitor) -> None:
        self._studio, self._owner, self._video = studio, owner, owner.sample_video()
        with owner.open(self._video) as page:
            page.ask("object.add", name="Koi")  # Number 1, which the messages name.
            self._object = page.ask("object.add", name="Carp")
        self._processes = self._running()
        self._memory = self._web_memory()

    def send_changed(self, number: int) -> int:
        """Send 200 changed messages. Return how many broke something, plus how many processes ended.

        One more is added if the web process grew too much, and one if it does not store a correct message afterwards.
        """
        chance = random.Random(number)
        texts = [changed(chance) for _ in range(200)]
        lost = 0
        while texts:
            with self._owner.open(self._video) as page:
                lost += _send(page, texts)
        return lost + self._ended_or_grown() + self._unanswered()

    def _running(self) -> dict[str, int]:
        return {name: process.pid for name, process in self._studio.children().items()}

    def _ended_or_grown(self) -> int:
        """Return how many processes have ended since the last call, plus one if the web process has grown too much."""
        until(lambda: self._running().keys() == self._processes.keys(), "all processes", 60)
        before, self._processes = self._processes, self._running()
        ended = sum(self._processes[name] != number for name, number in before.items())
        if self._processes["web"] != before["web"]:
            self._memory = self._web_memory()
        return ended + (self._web_memory() > self._memory + MOST_GROWN)

    def _unanswered(self) -> bool:
        """Draw a scribble for an object and on a frame that no changed message names. Return whether it is not
        stored.
        """
        key = str(uuid4())
        with self._owner.open(self._video) as page:
            page.ask("scribble.add", key=key, frame=50, object=self._object, path=SCRIBBLE)
        state = self._owner.call("GET", f"/videos/{self._video}/state")
        return key not in {scribble["key"] for scribble in state["scribbles"]}

    def _web_memory(self) -> int:
        return int(psutil.Process(self._processes["web"]).memory_info().rss)


def _send(page: VideoVisit, texts: list[str]) -> int:
    """Send and remove messages from `texts` until the server closes the socket. Return how many broke something.

    A message breaks something if the database refuses it, or if the socket closes without one of the close codes with
    which the server refuses messages.
    """
    lost = 0
    while texts:
        try:
            page.socket.send(texts.pop())
            page.socket.send(json.dumps({"type": "ping"}))
            page.wait("pong")
        except ConnectionClosed as closed:
            return lost + (closed.rcvd is None or closed.rcvd.code not in REFUSED_SOCKET)
        lost += sum(message.get("code") == "not_stored" for message in page.messages)
        page.messages.clear()
    return lost


def changed(chance: random.Random) -> str:
    """Return a correct message with one to three random changes, as text that need not be JSON any more."""
    message: Any = {**json.loads(json.dumps(chance.choice(CORRECT))), "key": str(uuid4())}
    for _ in range(chance.randint(1, 3)):
        _change_value(message, chance)
    text = json.dumps(message)
    if chance.random() < 0.2:
        at = chance.randrange(len(text))
        text = text[:at] + chance.choice(["", "\0", '"', "[" * 2000, "NaN", "\\ud800"]) + text[at + 1 :]
    return text


def _change_value(value: Any, chance: random.Random) -> None:
    """Change one value somewhere in a JSON object or list.

    The value is removed, replaced by one of `ODD`, or, if it is a long string, gets another character.
    """
    places = list(value) if isinstance(value, dict) else list(range(len(value)))
    if not places:
        return
    place = chance.choice(places)
    inner = value[place]
    if isinstance(inner, (dict, list)) and inner and chance.random() < 0.7:
        _change_value(inner, chance)
    elif chance.random() < 0.15:
        del value[place]
    elif isinstance(inner, str) and len(inner) > 40:  # A mask in base64, or a key.
        at = chance.randrange(len(inner))
        value[place] = inner[:at] + chance.choice("AZaz09+/=") + inner[at + 1 :]
    else:
        value[place] = chance.choice(ODD)
