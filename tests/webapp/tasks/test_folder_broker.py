"""Tests of the broker of embedded mode (files in a folder): it loses no message, and no message crashes a worker."""

from __future__ import annotations

import json
import multiprocessing
from collections import Counter
from pathlib import Path
from queue import Empty
from typing import Any

import pytest
from celery import Celery
from kombu import Connection
from structlog.testing import capture_logs

from webapp.tasks import folder_broker
from webapp.tasks.folder_broker import SCHEME

WRITERS, READERS, MESSAGES = 3, 3, 300
LONG = "x" * 200_000  # written in several parts, so a reader might see an incomplete file
_spawn = multiprocessing.get_context("spawn")


def options(folder: Path) -> dict[str, Any]:
    for name in ("messages", "control"):
        (folder / name).mkdir(exist_ok=True)
    messages = str(folder / "messages")
    return {
        "data_folder_in": messages,
        "data_folder_out": messages,
        "control_folder": str(folder / "control"),
        "broken_folder": str(folder / "broken"),
    }


def channel(folder: Path, scheme: str = SCHEME) -> Any:
    return Connection(f"{scheme}://localhost", transport_options=options(folder)).channel()


def payload(text: str) -> dict[str, Any]:
    return {
        "body": json.dumps(text),
        "content-type": "application/json",
        "content-encoding": "utf-8",
        "headers": {},
        "properties": {"delivery_tag": text[:40], "delivery_info": {"exchange": "", "routing_key": "q"}},
    }


def write(folder: Path, scheme: str, writer: int, messages: int) -> None:
    queue = channel(folder, scheme)
    for number in range(messages):
        queue._put("q", payload(f"{writer}.{number} {LONG}"))


def read(folder: Path, scheme: str, stop: Any, got: Any) -> None:
    queue = channel(folder, scheme)
    names = []
    while True:
        ended = stop.is_set()
        try:
            names.append(json.loads(queue._get("q")["body"]).split()[0])
        except Empty:
            if ended:
                break
    got.put(names)


def exchange(folder: Path, scheme: str, messages: int = MESSAGES) -> Counter[str]:
    """Write messages in several processes while others read them. Return how often each message was read."""
    stop, got = _spawn.Event(), _spawn.Queue()
    readers = [_spawn.Process(target=read, args=(folder, scheme, stop, got)) for _ in range(READERS)]
    writers = [_spawn.Process(target=write, args=(folder, scheme, number, messages)) for number in range(WRITERS)]
    for process in (*readers, *writers):
        process.start()
    for process in writers:
        process.join()
    stop.set()
    names: Counter[str] = Counter()
    for _ in readers:
        names.update(got.get(timeout=120))
    for process in readers:
        process.join()
        assert process.exitcode == 0
    return names


def test_of_what_several_processes_write_others_read_each_message_once(tmp_path: Path) -> None:
    expected = Counter(f"{writer}.{number}" for writer in range(WRITERS) for number in range(MESSAGES))
    assert exchange(tmp_path, SCHEME) == expected
    assert not (tmp_path / "broken").exists()
    assert list((tmp_path / "messages").iterdir()) == []


BROKEN = {
    "nothing": b"",
    "half": json.dumps(payload("half")).encode()[:50],
    "no UTF-8": b"\xff\xfe",
    "a list": b"[1, 2]",
    "no properties": json.dumps({"body": "1", "headers": {}}).encode(),
    "a body that is not base64": json.dumps(
        {**payload("x"), "properties": {**payload("x")["properties"], "body_encoding": "base64"}, "body": "abcde"}
    ).encode(),
    "a body that is no JSON": json.dumps({**payload("x"), "body": "{"}).encode(),
    "a pickle": json.dumps({**payload("x"), "content-type": "application/x-python-serialize"}).encode(),
    "a task without id": json.dumps({**payload("x"), "headers": {"task": "t"}}).encode(),
    "a task whose name is a number": json.dumps({**payload("x"), "headers": {"task": 7, "id": "i"}}).encode(),
    "a task without arguments": json.dumps({**payload("x"), "headers": {"task": "t", "id": "i"}}).encode(),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_message_is_put_aside_and_the_next_one_is_read(tmp_path: Path, name: str) -> None:
    queue = channel(tmp_path)
    (tmp_path / "messages" / "0_broken.q.msg").write_bytes(BROKEN[name])
    queue._put("q", payload("good"))
    with capture_logs() as logs:
        assert json.loads(queue._get("q")["body"]) == "good"
        with pytest.raises(Empty):
            queue._get("q")
    assert [entry["event"] for entry in logs] == ["broken_message"]
    assert (tmp_path / "broken" / "0_broken.q.msg").read_bytes() == BROKEN[name]


def test_a_queue_gets_only_what_is_meant_for_it(tmp_path: Path) -> None:
    queue = channel(tmp_path)
    queue._put("rounds.host:1", payload("for one worker"))
    with pytest.raises(Empty):
        queue._get("rounds")
    assert json.loads(queue._get("rounds.host:1")["body"]) == "for one worker"


def test_a_half_written_table_of_an_exchange_is_made_anew(tmp_path: Path) -> None:
    queue = channel(tmp_path)
    (tmp_path / "control" / "celery.exchange").write_text('[["a", ')
    assert queue.get_table("celery") == []
    queue._queue_bind("celery", "key", "", "q")
    queue._queue_bind("celery", "other", "", "p")
    assert [row.queue for row in queue.get_table("celery")] == ["p", "q"]


def test_a_task_that_celery_sends_is_understood(tmp_path: Path) -> None:
    app = Celery("sender", broker=f"{SCHEME}://localhost", set_as_current=False)
    app.conf.update(broker_transport_options=options(tmp_path), task_default_queue="q")
    app.send_task("videos.import_video", args=[7])
    message = channel(tmp_path)._get("q")
    assert message["headers"]["task"] == "videos.import_video"
    assert folder_broker.SCHEME == "folder"
