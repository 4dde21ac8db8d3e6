"""Measures latencies on this machine: the mask codec, a stored mask's way to the page, rounds, previews and painting.

The module starts a web process and a worker with the sample video, and connects to them as the page does. The time that
a browser needs for decoding and painting is measured by tests/latency.
"""

from __future__ import annotations

import base64
import json
import statistics
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen
from uuid import uuid4

import numpy as np
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from websockets.sync.client import connect
from websockets.sync.connection import Connection

from segmentation.formats.label_png import LabelMap
from webapp import first_run
from webapp.accounts.models import User
from webapp.annotation.claims import claim, finish, new_mask, store
from webapp.annotation.codec import TYPE_PREVIEW, decode, encode, unpack
from webapp.annotation.masks import masks_of
from webapp.annotation.models import Round
from webapp.annotation.objects import add_object
from webapp.annotation.rounds import create_round
from webapp.annotation.scribbles import add_scribble
from webapp.inference import workers
from webapp.installation import COMMAND_LINE
from webapp.live.follower import IDLE_SECONDS
from webapp.live.protocol import PROTOCOL_VERSION
from webapp.operation.upgrade import migrate
from webapp.process.listening import listen
from webapp.videos.models import Video
from webapp.videos.storage import read_truth

START_SECONDS = 90
ROUND_SECONDS = 600
FIRST_MASKS = 3  # the number of measured rounds, after a first round, which opens the session and is not measured
PREVIEWS, PAINTED = 5, 10  # the numbers of frames whose previews are measured and of painted masks that are measured
PACE = 0.1  # seconds between stored masks, as with an engine of ten frames per second


@dataclass(frozen=True)
class Figure:
    """A measured value, a line of the report.

    `limit` is the required value, or None where there is no requirement. It is the smallest permitted value if
    `at_least` is true, otherwise the largest.
    """

    name: str
    value: float
    unit: str
    limit: float | None = None
    at_least: bool = False

    @property
    def kept(self) -> bool:
        if self.limit is None:
            return True
        return self.value >= self.limit if self.at_least else self.value <= self.limit


def quantile(values: list[float], share: float) -> float:
    return float(np.quantile(values, share))


def measure(engine: str, say: Callable[[str], None]) -> Iterator[Figure]:
    """Measure the mask codec, the time of a stored mask to the page, and that of rounds, previews and painted masks.

    Yields the measured values. The data folder must be empty; the function starts and ends its own processes.
    """
    migrate(say)
    owner = first_run.make_owner()
    assert owner is not None, "the data folder is not empty"
    say("Rendering the clip ...")
    video = first_run.make_sample(owner, say).videos.get()
    for _ in range(3):
        add_object(video=video, author=owner)
    yield from codec_figures(video)
    with web_process() as address, page(address, owner, video) as socket:
        say("A stored mask's way to the page ...")
        yield from way_figures(socket, video, owner)
        with worker_process():
            say(f"Rounds of {engine} ...")
            yield from round_figures(socket, video, engine)
            say("Previews and painted masks ...")
            yield from preview_figures(socket, video, engine)
            yield from paint_figures(socket, video)


# --- codec ------------------------------------------------------------------------------------------------------------


def codec_figures(video: Video) -> list[Figure]:
    """Measure the mask codec on the ground truth of the sample video: 480p, three objects."""
    truth = [labels for frame in range(video.frame_count) if (labels := read_truth(video, frame)) is not None]
    sizes = [len(encode(labels)) for labels in truth]
    return [
        Figure("mask bytes a frame, 480p, three objects, mean", statistics.mean(sizes), "B", 2048),
        Figure("encode a mask, median", _milliseconds(encode, truth), "ms", 0.5),
        Figure("decode a mask, median", _milliseconds(decode, [encode(labels) for labels in truth]), "ms"),
    ]


def _milliseconds(function: Callable[[Any], Any], arguments: list[Any]) -> float:
    times = []
    for argument in arguments:
        start = time.perf_counter()
        function(argument)
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1000


# --- the way of a mask ------------------------------------------------------------------------------------------------


def way_figures(socket: Connection, video: Video, owner: User) -> list[Figure]:
    """Measure the time from the commit of a mask to its arrival at the page.

    Both moments are measured by the clock of this process, which stores masks as a worker does and reads the socket as
    the page does.
    """
    truth = [labels for frame in range(video.frame_count) if (labels := read_truth(video, frame)) is not None]
    add_scribble(video=video, author=owner, key=uuid4(), frame=0, object_id=1, path=[[0.5, 0.5]])
    row = create_round(video=video, author=owner, key=uuid4(), frames=[0], engine="played", base=None)
    claimed = claim(row.pk, workers.own_name(), progress_total=len(truth))
    assert claimed is not None
    stored: dict[int, float] = {}
    # A request for a round wakes the follower. This round has none, so wait until the follower has polled once.
    time.sleep(2 * IDLE_SECONDS)

    def play() -> None:
        for frame, labels in enumerate(truth):
            mask = new_mask(frame, labels, [1.0] * 3, None)
            store(claimed, [mask])
            stored[frame] = time.perf_counter()
            time.sleep(PACE)
        finish(claimed, complete=True)

    player = threading.Thread(target=play)
    player.start()
    came: dict[int, float] = {}
    while len(came) < len(truth):
        data = socket.recv(START_SECONDS)
        if isinstance(data, bytes):
            came.update(dict.fromkeys((mask.frame for mask in unpack(data)), time.perf_counter()))
    player.join()
    ways = [max(0.0, came[frame] - stored[frame]) * 1000 for frame in stored]
    return [
        Figure("mask stored to page, median", statistics.median(ways), "ms"),
        Figure("mask stored to page, p95", quantile(ways, 0.95), "ms", 100),
    ]


# --- rounds -----------------------------------------------------------------------------------------------------------


def round_figures(socket: Connection, video: Video, engine: str) -> list[Figure]:
    """Measure rounds with scribbles on the first object: the wait for the first mask, and the frames per second.

    The first round opens the session and is not measured.
    """
    head = Round.objects.latest("pk").pk
    waits, rates = [], []
    for number in range(FIRST_MASKS + 1):
        frame = number * video.frame_count // (FIRST_MASKS + 2)
        path = scribble(read_truth(video, frame), label=1)
        released = time.perf_counter()
        ask(socket, "scribble.add", frame=frame, object=1, path=path)
        head = ask(socket, "round.run", frames=[frame], engine=engine, base=head)
        first = wait_for_mask(socket, head)
        wait_for_end(socket, head)
        row = Round.objects.get(pk=head)
        if row.state != "done" or row.started_at is None or row.finished_at is None:
            raise RuntimeError(f"a round ended as {row.state}: {row.error}")
        if number:
            waits.append((first - released) * 1000)
            rates.append(row.progress_done / (row.finished_at - row.started_at).total_seconds())
    masks = [len(mask.data) for mask in masks_of(video.pk, head)]
    return [
        Figure("scribble released to its mask at the page, median", statistics.median(waits), "ms", 300),
        Figure(f"round of {engine}, warm, median", statistics.median(rates), "frames/s", 10, at_least=True),
        Figure(f"mask bytes a frame of {engine}, mean", statistics.mean(masks), "B"),
    ]


def preview_figures(socket: Connection, video: Video, engine: str) -> list[Figure]:
    """Measure the time from the release of a scribble to the preview of its frame at the page.

    The engine computes the features of a frame for its first preview, so first and later previews are reported apart.
    """
    first, later = [], []
    for number in range(PREVIEWS):
        frame = video.frame_count - 1 - number
        path = scribble(read_truth(video, frame), label=2)
        first.append(_preview_milliseconds(socket, frame, engine, path))
        later.append(_preview_milliseconds(socket, frame, engine, path[::-1]))
    return [
        Figure("scribble released to its preview at the page, median", statistics.median(later), "ms", 150),
        Figure("the same on a frame without features, median", statistics.median(first), "ms"),
    ]


def _preview_milliseconds(socket: Connection, frame: int, engine: str, path: list[list[float]]) -> float:
    released = time.perf_counter()
    ask(socket, "scribble.add", frame=frame, object=2, path=path)
    socket.send(json.dumps({"type": "preview.ask", "frame": frame, "engine": engine, "click": None}))
    while True:
        data = socket.recv(START_SECONDS)
        if isinstance(data, bytes) and data[1] == TYPE_PREVIEW:
            return (time.perf_counter() - released) * 1000


def paint_figures(socket: Connection, video: Video) -> list[Figure]:
    """Measure the time from a painted mask to its acknowledgement, which comes after it is stored."""
    waits = []
    for frame in range(PAINTED):
        labels = read_truth(video, frame)
        assert labels is not None, "the sample has a true mask for each frame"
        data = base64.b64encode(encode((labels == 3).astype(np.uint8))).decode()
        started = time.perf_counter()
        ask(socket, "mask.paint", frame=frame, object=3, data=data, over="all")
        waits.append((time.perf_counter() - started) * 1000)
    return [Figure("mask painted to stored and acknowledged, median", statistics.median(waits), "ms", 100)]


def scribble(labels: LabelMap | None, label: int) -> list[list[float]]:
    """Return a short scribble through the middle of the object with the id `label`: [[x, y], ...] in 0..1."""
    assert labels is not None, "the sample has a true mask for each frame"
    ys, xs = np.nonzero(labels == label)
    height, width = labels.shape
    chosen = np.argsort(xs)[(np.linspace(0.3, 0.7, 12) * (len(xs) - 1)).astype(int)]
    return [[float(xs[i] / width), float(np.median(ys[xs == xs[i]]) / height)] for i in chosen]


def ask(socket: Connection, kind: str, **fields: Any) -> int:
    """Send a message, wait for its acknowledgement, and return its result, or 0 if it has none."""
    key = str(uuid4())
    socket.send(json.dumps({"type": kind, "key": key, **fields}))
    while True:
        data = socket.recv(START_SECONDS)
        if isinstance(data, str) and (answer := json.loads(data)).get("key") == key:
            if answer["type"] == "error":
                raise RuntimeError(answer["text"])
            return answer["result"] or 0


def wait_for_mask(socket: Connection, round_id: int) -> float:
    """Wait for the first mask of a round, decode it, and return the time of time.perf_counter() after that."""
    while True:
        data = socket.recv(ROUND_SECONDS)
        if isinstance(data, bytes):
            for mask in unpack(data):
                if mask.round == round_id:
                    decode(mask.data)
                    return time.perf_counter()


def wait_for_end(socket: Connection, round_id: int) -> None:
    while True:
        data = socket.recv(ROUND_SECONDS)
        if isinstance(data, str) and (message := json.loads(data))["type"] == "round.changed":
            row = message["round"]
            if row["id"] == round_id and row["state"] not in ("queued", "running"):
                return


# --- processes --------------------------------------------------------------------------------------------------------


@contextmanager
def web_process() -> Iterator[str]:
    """Run a web process on a free port and yield its address."""
    with listen("127.0.0.1", 0, may_move=False) as bound:
        port = bound.getsockname()[1]
        address = f"http://127.0.0.1:{port}"
        with child("web", "--fd", str(bound.fileno()), keep=bound.fileno()):
            until(lambda: _answers(address), "the web process")
            yield address


@contextmanager
def worker_process() -> Iterator[None]:
    with child("worker", "--queue", "rounds"):
        until(lambda: workers.status().alive, "the worker")
        yield


@contextmanager
def child(*arguments: str, keep: int | None = None) -> Iterator[None]:
    command = [*COMMAND_LINE, *arguments, "--child"]
    # The child ends when its standard input is closed, which happens even if this process is killed.
    process = subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=() if keep is None else (keep,))
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


def until(true: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + START_SECONDS
    while not true():
        if time.monotonic() > end:
            raise RuntimeError(f"{what} did not start")
        time.sleep(0.05)


def _answers(address: str) -> bool:
    try:
        urlopen(f"{address}/plain.css", timeout=2).close()
    except (URLError, OSError):
        return False
    return True


@contextmanager
def page(address: str, user: User, video: Video) -> Iterator[Connection]:
    """Open a socket of a signed-in user on the video, as the page does, and yield it after the welcome."""
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    headers = {"Cookie": f"{settings.SESSION_COOKIE_NAME}={session.session_key}"}
    where = f"{address.replace('http', 'ws', 1)}/ws/videos/{video.pk}"
    origin: Any = address
    with connect(where, origin=origin, additional_headers=headers, max_size=None) as socket:
        socket.send(json.dumps({"type": "resume", "version": PROTOCOL_VERSION, "seq": 0, "mask_seq": 0}))
        while json.loads(socket.recv(START_SECONDS))["type"] != "welcome":
            pass
        yield socket
