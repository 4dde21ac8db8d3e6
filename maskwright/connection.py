"""The connection of a client to a server: calls that are repeated when that does no harm, and lists in pages."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import httpx

TRIES = 6  # of a call that can be made again without harm
LONGEST_PAUSE = 10.0  # seconds between two tries
TRY_AGAIN = (429, 502, 503, 504)
POLL_SECONDS = (0.1, 2.0)  # the first and the longest pause between two looks at something that takes long

Progress = Callable[[int, int], None]  # Called with what is done and what there is in all (0 if unknown).


class ApiError(Exception):
    """What was asked for was not done: the server refused it, failed at it or could not be reached.

    The text is a sentence. `code` is the same in later versions. `status` is the HTTP status of a refusal, else 0.
    """

    def __init__(self, code: str, text: str, status: int = 0) -> None:
        super().__init__(text)
        self.code, self.status = code, status


class Connection:
    """A connection to a server, as the owner of a token. Paths are those of docs/contracts.md without `/api`.

    Args:
        url: the address of the server, such as https://masks.example.org.
        token: a token that its owner made on the page, with POST /api/tokens or with `maskwright token`.
        timeout: seconds for which a call waits to be connected, or for the next bytes of its answer.
    """

    def __init__(self, url: str, token: str, timeout: float = 60.0) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        self._http = httpx.Client(base_url=f"{url.rstrip('/')}/api/v1", headers=headers, timeout=timeout)

    def get(self, path: str, **options: Any) -> Any:
        """Make a GET call and return its JSON. `options` are those of httpx."""
        return self.call("GET", path, repeat=True, **options)

    def rows(self, path: str, **filters: Any) -> Iterator[Any]:
        """Yield the rows of a list. Its pages are read one after the other, each when it is needed.

        `filters` are parameters of the call, such as `q`, `state`, `order` and `limit`. Those that are None are left
        out.
        """
        query = {name: value for name, value in filters.items() if value is not None}
        while True:
            answer = self._answer("GET", path, repeat=True, params=query)
            yield from _content(answer)
            following = answer.links.get("next", {}).get("url")
            if following is None:
                return
            query = dict(httpx.QueryParams(following.removeprefix("?")))

    def create(self, path: str, body: Mapping[str, Any]) -> Any:
        """Make a POST call that creates something. It is repeated as `get` is, but takes effect once."""
        return self.call("POST", path, repeat=True, json=body, headers={"Idempotency-Key": str(uuid4())})

    def call(self, method: str, path: str, *, repeat: bool = False, **options: Any) -> Any:
        """Make a call and return the JSON of its answer, or None if it has none.

        With `repeat` it is made again, after a pause, when the server cannot be reached or is busy: for calls that do
        no harm when they arrive twice. Raises ApiError.
        """
        return _content(self._answer(method, path, repeat=repeat, **options))

    def _answer(self, method: str, path: str, *, repeat: bool, **options: Any) -> httpx.Response:
        for attempt in range(TRIES if repeat else 1):
            last = not repeat or attempt == TRIES - 1
            try:
                answer = self._http.request(method, path, **options)
            except httpx.TransportError as error:
                if last:
                    raise ApiError(
                        "unreachable",
                        f"No server answers at {self._http.base_url.join('/')} ({str(error) or type(error).__name__}).",
                    ) from None
                time.sleep(pause(attempt))
                continue
            if last or not _is_busy(answer):
                return answer
            time.sleep(pause(attempt, answer.headers.get("Retry-After", "")))
        raise AssertionError("The last try either returns or raises.")

    @contextmanager
    def stream(self, path: str, headers: Mapping[str, str]) -> Iterator[httpx.Response]:
        """Make a GET call and return the answer, whose body the caller reads piece by piece.

        Raises ApiError if the server refuses, and httpx.TransportError if it cannot be reached.
        """
        with self._http.stream("GET", path, headers=dict(headers), follow_redirects=True) as answer:
            if answer.status_code >= 400:
                answer.read()
                _content(answer)
            yield answer

    def followed(self, address: str, progress: Progress | None) -> dict[str, Any]:
        """Wait until an export, an import or a fetch neither waits nor runs, and return it."""

        def look() -> dict[str, Any]:
            row = dict(self.get(address))
            if progress is not None:
                progress(row["progress_done"], row["progress_total"])
            return row

        return when(look, lambda row: row["state"] not in ("queued", "running"))

    def close(self) -> None:
        self._http.close()


def when(look: Callable[[], dict[str, Any]], done: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Look at something again and again until it is done, and return it."""
    wait, longest = POLL_SECONDS
    while not done(found := look()):
        time.sleep(wait)
        wait = min(1.3 * wait, longest)
    return found


def pause(attempt: int, retry_after: str = "") -> float:
    wanted = float(retry_after) if retry_after.isdigit() else 0.25 * 2**attempt
    return min(wanted, LONGEST_PAUSE)


def _is_busy(answer: httpx.Response) -> bool:
    running = answer.status_code == 409 and '"still_running"' in answer.text
    return answer.status_code in TRY_AGAIN or running


def _content(answer: httpx.Response) -> Any:
    if answer.status_code < 400:
        return answer.json() if answer.content else None
    try:
        data = answer.json()
        code, text = str(data["code"]), str(data["text"])
    except (ValueError, KeyError, TypeError):
        code, text = "failed", f"The server answered {answer.status_code} without a reason."
    raise ApiError(code, text, answer.status_code)
