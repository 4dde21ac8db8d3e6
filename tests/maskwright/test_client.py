"""Tests of the REST client (package maskwright) with the answers of a simulated server, many of which are failures.

The client repeats requests that may be sent twice, and raises other errors with a sentence for the user.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from maskwright import client, connection, transfer
from maskwright.client import ApiError, Maskwright, Project, Video

Answer = httpx.Response | Exception


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "pause", lambda *_: 0.0)
    monkeypatch.setattr(transfer, "pause", lambda *_: 0.0)
    monkeypatch.setattr(connection, "POLL_SECONDS", (0.0, 0.0))


def served(handle: Callable[[httpx.Request], Answer]) -> Maskwright:
    """Return a client whose requests are answered by `handle` instead of a server.

    `handle` returns the response, or an exception that the client gets instead of a response.
    """

    def answer(request: httpx.Request) -> httpx.Response:
        found = handle(request)
        if isinstance(found, Exception):
            raise found
        return found

    maskwright = Maskwright("http://server/", "mwt_secret")
    made = maskwright.connection._http
    maskwright.connection._http = httpx.Client(
        base_url=made.base_url, headers=made.headers, transport=httpx.MockTransport(answer)
    )
    return maskwright


def in_turn(*answers: Answer) -> tuple[Maskwright, list[httpx.Request]]:
    seen: list[httpx.Request] = []
    left = list(answers)

    def handle(request: httpx.Request) -> Answer:
        request.read()
        seen.append(request)
        return left.pop(0)

    return served(handle), seen


def test_it_sends_the_token_to_the_versioned_address() -> None:
    maskwright, seen = in_turn(httpx.Response(200, json=[]))
    assert maskwright.projects() == []
    assert str(seen[0].url) == "http://server/api/v1/projects"
    assert seen[0].headers["Authorization"] == "Bearer mwt_secret"


def test_it_reads_all_pages_of_a_list() -> None:
    link = {"Link": '<?after=x%3D&limit=1>; rel="next"'}
    row = {"id": 1, "name": "Ants"}
    first, second = httpx.Response(200, json=[row], headers=link), httpx.Response(200, json=[{**row, "id": 2}])
    maskwright, seen = in_turn(first, httpx.ReadError("no"), second)
    assert [project.id for project in maskwright.projects()] == [1, 2]
    assert seen[2].url.params == httpx.QueryParams({"after": "x=", "limit": "1"})


def test_spaces_around_the_name_of_a_project_make_no_second_project() -> None:
    maskwright, seen = in_turn(httpx.Response(200, json=[{"id": 7, "name": "Birds"}]))
    assert maskwright.project(" Birds ").id == 7
    assert [request.method for request in seen] == ["GET"]


@pytest.mark.parametrize("make", [True, False])
def test_no_second_project_gets_the_name_of_an_archived_one(make: bool) -> None:
    rows = {"false": [{"id": 8, "name": "Birds of prey"}], "true": [{"id": 7, "name": "Birds"}]}
    seen: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request.method)
        return httpx.Response(200, json=rows[request.url.params["archived"]])

    with pytest.raises(ApiError, match="The project 'Birds' is archived") as refused:
        served(handle).project("Birds", make=make)
    assert refused.value.code == "archived"
    assert set(seen) == {"GET"}


def test_it_asks_again_when_the_server_is_busy_or_away() -> None:
    maskwright, seen = in_turn(httpx.ConnectError("no"), httpx.Response(503), httpx.Response(200, json={"id": 1}))
    assert maskwright.connection.get("/me") == {"id": 1}
    assert len(seen) == 3


def test_what_creates_something_without_a_key_is_never_sent_twice() -> None:
    maskwright, seen = in_turn(httpx.ReadError("no"))
    with pytest.raises(ApiError, match="No server answers"):
        maskwright.connection.call("POST", "/projects", json={"name": "Birds"})
    assert len(seen) == 1


def test_what_creates_something_is_repeated_with_one_key() -> None:
    running = httpx.Response(409, json={"code": "still_running", "text": "Ask again."})
    made = httpx.Response(201, json={"id": 4, "name": "Birds"})
    none = [httpx.Response(200, json=[]), httpx.Response(200, json=[])]
    maskwright, seen = in_turn(*none, httpx.ReadError("no"), running, made)
    assert maskwright.project("Birds").id == 4
    assert len({request.headers["Idempotency-Key"] for request in seen[2:]}) == 1
    assert [request.method for request in seen] == ["GET", "GET", "POST", "POST", "POST"]


def test_a_file_that_the_server_gets_itself_becomes_a_video() -> None:
    row = {"state": "running", "progress_done": 1, "progress_total": 2, "error": "", "id": 3, "video": None}
    done, card = {**row, "state": "done", "video": 9}, {"state": "ready"}
    maskwright, seen = in_turn(*(httpx.Response(200, json=each) for each in (row, row, done, card)))
    assert Project(maskwright.connection, 1, "Birds").fetch("clips/a.mp4").id == 9
    assert seen[0].content == b'{"source":"clips/a.mp4"}'
    gone, _ = in_turn(*(httpx.Response(200, json=each) for each in (row, {**row, "state": "failed", "error": "No."})))
    with pytest.raises(ApiError, match="No"):
        Project(gone.connection, 1, "Birds").fetch("clips/a.mp4")


def test_a_message_is_repeated_with_the_same_key() -> None:
    maskwright, seen = in_turn(httpx.ReadError("no"), httpx.Response(200, json={"result": 3}))
    assert client.Video(maskwright.connection, 1).add_object("Bird") == 3
    assert seen[0].content == seen[1].content


@pytest.mark.parametrize(
    ("answer", "code", "text"),
    [
        (httpx.Response(409, json={"code": "conflict", "text": "Look again."}), "conflict", "Look again."),
        (httpx.Response(500, text="<html>"), "failed", "The server answered 500 without a reason."),
        (httpx.Response(404, json=["x"]), "failed", "The server answered 404 without a reason."),
    ],
)
def test_an_error_is_the_sentence_of_the_server(answer: httpx.Response, code: str, text: str) -> None:
    maskwright, _ = in_turn(answer)
    with pytest.raises(ApiError) as raised:
        maskwright.connection.get("/me")
    assert (raised.value.code, str(raised.value), raised.value.status) == (code, text, answer.status_code)


def test_an_upload_goes_on_where_the_server_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "CHUNK", 4)
    (tmp_path / "clip.mp4").write_bytes(b"0123456789")
    received = bytearray()
    breaks = [2]  # The connection breaks once, after two bytes of the second chunk have arrived.

    def handle(request: httpx.Request) -> Answer:
        path = request.url.path.removeprefix("/api/v1")
        data: Any = None
        if path == "/projects/1/uploads":
            data = {"id": "u"}
        elif request.method == "PATCH":
            body = request.read()
            assert int(request.headers["Upload-Offset"]) == len(received)
            if len(received) == 4 and breaks:
                received.extend(body[: breaks.pop()])
                return httpx.ReadError("broken")
            received.extend(body)
            data = {"received": len(received)}
        elif path == "/uploads/u":
            data = {"received": len(received)}
        elif path == "/uploads/u/finish":
            data = {"id": 7}
        elif path == "/videos/7":
            data = {"state": "ready"}
        return httpx.Response(200, json=data)

    sent: list[tuple[int, int]] = []
    video = Project(served(handle).connection, 1, "Birds").upload(
        tmp_path / "clip.mp4", lambda *done: sent.append(done)
    )
    assert (video.id, bytes(received)) == (7, b"0123456789")
    assert sent == [(4, 10), (6, 10), (10, 10)]


def test_an_upload_pauses_longer_each_time_and_gives_up_when_the_server_stays_busy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"01")
    pauses: list[int] = []

    def pause(attempt: int) -> float:
        pauses.append(attempt)
        return 0.0

    monkeypatch.setattr(transfer, "pause", pause)
    monkeypatch.setattr(transfer, "CHUNK", 1)
    busy = httpx.Response(503, json={"code": "busy", "text": "Another chunk is being written."})
    there, proxy = httpx.Response(200, json={"received": 1}), httpx.Response(502, text="<html>")
    maskwright, seen = in_turn(httpx.Response(201, json={"id": "u"}), proxy, there, *[busy, there] * 5, busy)
    with pytest.raises(ApiError, match="Another chunk"):
        Project(maskwright.connection, 1, "Birds").upload(tmp_path / "clip.mp4")
    assert [request.content for request in seen if request.method == "PATCH"] == [b"0"] + [b"1"] * 6
    assert pauses == [0, 0, 1, 2, 3, 4]


def test_a_failed_import_is_the_sentence_of_the_server() -> None:
    maskwright, _ = in_turn(httpx.Response(200, json={"state": "failed", "error": "No frames."}))
    with pytest.raises(ApiError, match="No frames"):
        client.Video(maskwright.connection, 1).wait()


def test_a_download_goes_on_where_it_broke(tmp_path: Path) -> None:
    class Broken(httpx.SyncByteStream):
        def __iter__(self) -> Any:
            yield b"0123"
            raise httpx.ReadError("broken")

    done = {"state": "done", "progress_done": 1, "progress_total": 1}
    maskwright, seen = in_turn(
        httpx.Response(201, json={"id": 5}),
        httpx.Response(200, json=done),
        httpx.Response(200, stream=Broken()),
        httpx.Response(206, stream=httpx.ByteStream(b"456789")),
    )
    target = client.Video(maskwright.connection, 1).export("davis", tmp_path / "out.zip")
    assert target.read_bytes() == b"0123456789"
    assert seen[3].headers["Range"] == "bytes=4-"
    assert [path.name for path in tmp_path.iterdir()] == ["out.zip"]


def test_a_round_that_failed_raises_with_its_reason() -> None:
    state = {"head": None, "scribbles": [{"frame": 0, "author": {"id": 1}}, {"frame": 3, "author": {"id": 2}}]}
    maskwright, seen = in_turn(
        httpx.Response(200, json=state),
        httpx.Response(200, json={"id": 1}),
        httpx.Response(200, json={"result": 9}),
        httpx.Response(200, json={"state": "running", "done": 1, "total": 4, "error": ""}),
        httpx.Response(200, json={"state": "failed", "done": 1, "total": 4, "error": "Out of memory."}),
    )
    progress: list[tuple[int, int]] = []
    with pytest.raises(ApiError, match="Out of memory") as raised:
        client.Video(maskwright.connection, 1).run(progress=lambda *done: progress.append(done))
    assert raised.value.code == "round_failed"
    assert progress == [(1, 4), (1, 4)]
    assert b'"frames":[0]' in seen[2].content


@pytest.mark.parametrize(
    ("ended", "code"),
    [({"state": "asking", "unknown_labels": ["shark"]}, "labels_asked"), ({"state": "failed"}, "import_failed")],
)
def test_masks_that_are_not_brought_in_raise_with_the_reason(tmp_path: Path, ended: dict[str, Any], code: str) -> None:
    (tmp_path / "masks.zip").write_bytes(b"zip")
    row = {"id": 3, "progress_done": 0, "progress_total": 0, "error": "Because of the shark.", "result": [], **ended}
    maskwright, seen = in_turn(
        httpx.Response(201, json={"id": "u"}),
        httpx.Response(200, json={"received": 3}),
        httpx.Response(201, json={"id": 3}),
        httpx.Response(200, json=row),
        httpx.Response(204),
    )
    with pytest.raises(ApiError, match="shark") as raised:
        Project(maskwright.connection, 1, "Birds").import_masks(tmp_path / "masks.zip", labels={"cod": None})
    assert raised.value.code == code
    assert b'"labels":{"cod":null}' in seen[2].content
    assert (seen[-1].method == "DELETE") == (code == "labels_asked")


def test_the_team_of_a_project_is_read_and_changed() -> None:
    pages = [{"jobs": [{"id": 5}], "next": 5}, {"jobs": [{"id": 6}], "next": None}]
    hook = {"id": 2, "secret": "whsec"}
    answers = [*pages, [{"job": 5, "assignee": 8}], hook, {"id": 9}, None, {"frames": {"limit": None, "used": 3}}]
    maskwright, seen = in_turn(*(httpx.Response(200, json=each) for each in answers))
    team = Project(maskwright.connection, 1, "Birds").team
    assert [job["id"] for job in team.jobs(state="new", assignee=None)] == [5, 6]
    assert seen[1].url.params == httpx.QueryParams({"project": 1, "state": "new", "assignee": "none", "after": 5})
    assert team.deal([8]) == [{"job": 5, "assignee": 8}]
    assert team.add_webhook("https://example.org", ["round.done"]) == hook
    assert "Idempotency-Key" not in seen[3].headers  # Its answer has a secret, which is not kept for a repetition.
    assert team.test_webhook(2)["id"] == 9
    team.remove_webhook(2)
    assert team.quota()["frames"]["used"] == 3
    lines = [f"{request.method} {request.url.path.removeprefix('/api/v1')}" for request in seen]
    assert lines[2:] == [
        "POST /projects/1/jobs/deal",
        "POST /projects/1/webhooks",
        "POST /webhooks/2/test",
        "DELETE /webhooks/2",
        "GET /projects/1/quota",
    ]


def test_an_upload_ends_when_the_file_becomes_shorter_while_it_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chunk = 1 << 20  # More than a file's buffer, which would still have the bytes that are gone.
    monkeypatch.setattr(transfer, "CHUNK", chunk)
    (tmp_path / "clip.mp4").write_bytes(bytes(2 * chunk))

    def shorten(*_: int) -> None:
        (tmp_path / "clip.mp4").write_bytes(bytes(chunk))

    maskwright, seen = in_turn(
        httpx.Response(201, json={"id": "u"}), *[httpx.Response(200, json={"received": chunk})] * 3
    )
    with pytest.raises(ApiError, match="has become shorter"):
        Project(maskwright.connection, 1, "Birds").upload(tmp_path / "clip.mp4", shorten)
    assert len(seen) == 2


def test_the_queue_of_a_person_is_read_part_by_part() -> None:
    ends = {"next_jobs": None, "next_reviews": None, "next_pools": None}
    first = {"jobs": [{"id": 1}], "reviews": [{"id": 7}], "pools": [{"project": 4}], **ends, "next_jobs": 1}
    second = {"jobs": [{"id": 2}], "reviews": [{"id": 7}], "pools": [{"project": 4}], **ends}
    maskwright, seen = in_turn(httpx.Response(200, json=first), httpx.Response(200, json=second))
    assert maskwright.work() == {"jobs": [{"id": 1}, {"id": 2}], "reviews": [{"id": 7}], "pools": [{"project": 4}]}
    assert seen[1].url.params == httpx.QueryParams({"jobs_after": 1})


def test_the_rounds_of_a_video_are_read_in_pages() -> None:
    first, second = {"rounds": [{"id": 9}, {"id": 7}], "next": 7}, {"rounds": [{"id": 4}], "next": None}
    maskwright, requests = in_turn(httpx.Response(200, json=first), httpx.Response(200, json=second))
    assert [row["id"] for row in Video(maskwright.connection, 3).rounds()] == [9, 7, 4]
    assert requests[0].url.path == "/api/v1/videos/3/rounds"
    assert [dict(request.url.params) for request in requests] == [{}, {"before": "7"}]


def test_objects_are_chosen_in_one_video() -> None:
    maskwright, seen = in_turn()
    with pytest.raises(ApiError, match=r"use Video\.export"):
        Project(maskwright.connection, 1, "Birds").export("coco", "x.zip", objects=[3])
    assert seen == []
