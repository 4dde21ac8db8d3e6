"""A client of Maskwright's REST API: projects, uploads, scribbles, rounds, masks and exports from a script.

    maskwright = Maskwright("https://masks.example.org", token)
    video = maskwright.project("Birds").upload("clip.mp4")
    bird = video.add_object("Bird")
    masks = video.scribble(0, bird, [(0.4, 0.5), (0.5, 0.55)]).run().masks()

All calls wait until what they ask for is done. Failures raise ApiError, whose text is a sentence.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import httpx
import numpy as np
from numpy.typing import NDArray

from segmentation.formats.coco_rle import decode_segmentation

CHUNK = 8 << 20  # bytes of an upload that are sent at once
MASKS_AT_ONCE = 500
TRIES = 6  # of a call that can be made again without harm
LONGEST_PAUSE = 10.0  # seconds between two tries
TRY_AGAIN = (429, 502, 503, 504)
POLL_SECONDS = (0.1, 2.0)  # the first and the longest pause between two looks at something that takes long

Progress = Callable[[int, int], None]  # Called with what is done and what there is in all (0 if unknown).
Point = tuple[float, float]  # x and y as shares of the width and the height, 0..1


class ApiError(Exception):
    """The server refused a call, or could not be reached. `code` is stable; the text is a sentence."""

    def __init__(self, code: str, text: str, status: int = 0) -> None:
        super().__init__(text)
        self.code, self.status = code, status


class Maskwright:
    """A connection to a server, as the owner of a token.

    Args:
        url: the address of the server, such as https://masks.example.org.
        token: a token that its owner made on the page or with POST /api/tokens.
        timeout: seconds that one call may take.
    """

    def __init__(self, url: str, token: str, timeout: float = 60.0) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        self._http = httpx.Client(base_url=f"{url.rstrip('/')}/api/v1", headers=headers, timeout=timeout)

    def project(self, name: str, *, make: bool = True) -> Project:
        """Return the project of this name. If there is none it is created, or without `make` ApiError is raised."""
        for row in self.get("/projects"):
            if row["name"] == name:
                return Project(self, row["id"], name)
        if not make:
            raise ApiError("not_found", f"There is no project {name!r}, or you are no member of it.", 404)
        return Project(self, self.create("/projects", {"name": name})["id"], name)

    def projects(self) -> list[Project]:
        """Return all projects of which the owner of the token is a member."""
        return [Project(self, row["id"], row["name"]) for row in self.get("/projects")]

    def get(self, path: str, **options: Any) -> Any:
        """Make a GET call and return its JSON. `options` are those of httpx."""
        return self.call("GET", path, repeat=True, **options)

    def create(self, path: str, body: Mapping[str, Any]) -> Any:
        """Make a POST call that creates something. It is repeated as `get` is, but takes effect once."""
        return self.call("POST", path, repeat=True, json=body, headers={"Idempotency-Key": str(uuid4())})

    def call(self, method: str, path: str, *, repeat: bool = False, **options: Any) -> Any:
        """Make a call and return the JSON of its answer, or None if it has none.

        With `repeat` it is made again, after a pause, when the server cannot be reached or is busy: for calls that do
        no harm when they arrive twice. Raises ApiError.
        """
        for attempt in range(TRIES if repeat else 1):
            last = not repeat or attempt == TRIES - 1
            try:
                answer = self._http.request(method, path, **options)
            except httpx.TransportError as error:
                if last:
                    raise ApiError("unreachable", f"The server cannot be reached: {error}.") from None
                time.sleep(_pause(attempt))
                continue
            if last or not _is_busy(answer):
                return _content(answer)
            time.sleep(_pause(attempt, answer.headers.get("Retry-After", "")))
        raise AssertionError("The last try either returns or raises.")

    @contextmanager
    def stream(self, path: str, headers: Mapping[str, str]) -> Iterator[httpx.Response]:
        """Make a GET call whose answer is read in pieces. Raises ApiError."""
        with self._http.stream("GET", path, headers=dict(headers)) as answer:
            if answer.status_code >= 400:
                answer.read()
                _content(answer)
            yield answer

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


@dataclass(frozen=True)
class Project:
    """A project of the server."""

    maskwright: Maskwright = field(repr=False)
    id: int
    name: str

    def videos(self) -> list[Video]:
        rows = self.maskwright.get(f"/projects/{self.id}/videos")
        return [Video(self.maskwright, row["id"]) for row in rows]

    def video(self, which: str | int) -> Video:
        """Return the video with this name or id. Raises ApiError if there is none, or several have the name."""
        rows = self.maskwright.get(f"/projects/{self.id}/videos")
        named = [row for row in rows if str(row["id"]) == str(which)] or [row for row in rows if row["name"] == which]
        if len(named) != 1:
            many = "Several videos are" if named else "No video is"
            raise ApiError("not_found", f"{many} called {which!r} in {self.name}.", 404)
        return Video(self.maskwright, named[0]["id"])

    def upload(self, path: str | Path, progress: Progress | None = None) -> Video:
        """Upload a file, and wait until its video is imported. A connection that breaks costs at most one chunk.

        Where the file holds several videos, the first is returned; `videos` has all of them. `progress` is called with
        the bytes that were sent.
        """
        address = f"/uploads/{self._upload(Path(path), progress)}"
        video = Video(self.maskwright, self.maskwright.call("POST", f"{address}/finish", repeat=True)["id"])
        return video.wait()

    def fetch(self, source: str, progress: Progress | None = None) -> Video:
        """Let the server get a video itself, and wait until it is imported.

        `source` is an address, or a path below the import folder of the server; a folder there is packed. `progress` is
        called with the bytes that the server has.
        """
        made = self.maskwright.create(f"/projects/{self.id}/fetches", {"source": source})
        ended = _followed(self.maskwright, f"/fetches/{made['id']}", progress)
        if ended["state"] != "done":
            raise ApiError(f"fetch_{ended['state']}", ended["error"] or "It was cancelled.")
        return Video(self.maskwright, ended["video"]).wait()

    def import_masks(
        self,
        path: str | Path,
        *,
        video: Video | None = None,
        ground_truth: bool = False,
        labels: Mapping[str, str | None] | None = None,
        other_labels: str = "ask",
        progress: Progress | None = None,
    ) -> list[dict[str, Any]]:
        """Upload a file with masks, and wait until they are brought in: all of the file, or nothing.

        Args:
            path: the file: a zip in one of the formats of docs/formats.md, or a JSON, XML, text or npz file.
            video: the video that the masks are for; None finds the videos by their names in the file.
            ground_truth: bring the masks in as ground truth instead of as a version that can be edited.
            labels: the name of a label of the project, or None for no label, by the label in the file.
            other_labels: what to do with labels that neither the project nor `labels` has: "make" them, "drop" them,
                or "ask", which raises ApiError "labels_asked" and brings nothing in.
            progress: called with the bytes that were sent, then with the masks that were read and stored.

        Returns:
            The videos, each as {"video", "name", "round", "frames", "objects"} with the id of video and version.
        """
        options = {"ground_truth": ground_truth, "labels": dict(labels or {}), "other_labels": other_labels}
        body = {"upload": self._upload(Path(path), progress), "video": None if video is None else video.id, **options}
        made = self.maskwright.create(f"/projects/{self.id}/mask-imports", body)
        address = f"/mask-imports/{made['id']}"
        ended = _followed(self.maskwright, address, progress)
        if ended["state"] == "asking":
            self.maskwright.call("DELETE", address)
            names = ", ".join(ended["unknown_labels"])
            text = f"The project has no labels {names}. Say what they are with `labels`, or make or drop them."
            raise ApiError("labels_asked", text)
        if ended["state"] != "done":
            raise ApiError(f"import_{ended['state']}", ended["error"] or "The import was cancelled.")
        return list(ended["result"])

    def _upload(self, path: Path, progress: Progress | None) -> str:
        """Send a file to the server, and return the id of the upload."""
        size = path.stat().st_size
        began = self.maskwright.create(f"/projects/{self.id}/uploads", {"name": path.name, "size": size})
        address, sent = f"/uploads/{began['id']}", 0
        with path.open("rb") as file:
            while sent < size:
                sent = self._send(address, file.read, file.seek, sent)
                if progress is not None:
                    progress(sent, size)
        return str(began["id"])

    def _send(self, address: str, read: Callable[[int], bytes], seek: Callable[[int], int], sent: int) -> int:
        """Send the next chunk and return how many bytes the server has now."""
        seek(sent)
        headers = {"Upload-Offset": str(sent), "Content-Type": "application/octet-stream"}
        try:
            return int(self.maskwright.call("PATCH", address, content=read(CHUNK), headers=headers)["received"])
        except ApiError as error:
            if error.code not in ("unreachable", "wrong_offset", "chunk_cut", "busy"):
                raise
            return int(self.maskwright.get(address)["received"])

    def export(self, format: str, target: str | Path, progress: Progress | None = None, **options: Any) -> Path:
        """Export all videos that have masks in one file, and download it to `target`.

        `options` are those of docs/formats.md: spans, accepted_only, labels, names and shape.
        """
        body = {"format": format, "options": options}
        made = self.maskwright.create(f"/projects/{self.id}/exports", body)
        return _download(self.maskwright, made["id"], Path(target), progress)


@dataclass(frozen=True)
class Video:
    """A video of the server."""

    maskwright: Maskwright = field(repr=False)
    id: int

    @property
    def info(self) -> dict[str, Any]:
        """The card of the video: name, width, height, frame_count, fps, state, note ..."""
        return dict(self.maskwright.get(f"/videos/{self.id}"))

    def wait(self) -> Video:
        """Wait until the video is imported. Raises ApiError if the import failed."""
        info = _when(lambda: self.info, lambda info: info["state"] != "importing")
        if info["state"] != "ready":
            raise ApiError("import_failed", info["error"] or "The import was cancelled.")
        return self

    def add_object(self, name: str = "") -> int:
        """Add an object and return its id, which is its value in masks."""
        return int(self.send("object.add", name=name))

    def scribble(self, frame: int, object: int, path: Sequence[Point]) -> Video:
        """Draw a scribble for an object, or with `object` 0 for the background. It waits for `run`."""
        self.send("scribble.add", frame=frame, object=object, path=[list(point) for point in path])
        return self

    def run(
        self, frames: Sequence[int] | None = None, engine: str = "default", progress: Progress | None = None
    ) -> Video:
        """Run a round with the scribbles that wait, and wait until it ends. Raises ApiError if it failed.

        `frames` are the frames that were drawn on; None takes all on which scribbles of this user wait.
        """
        state = self.maskwright.get(f"/videos/{self.id}/state")
        if frames is None:
            me = self.maskwright.get("/me")["id"]
            frames = sorted({row["frame"] for row in state["scribbles"] if row["author"]["id"] == me})
        if not frames:
            raise ApiError("no_scribbles", "There is no scribble yet. Draw one, then run.")
        round_id = self.send("round.run", frames=list(frames), engine=engine, base=state["head"])

        def look() -> dict[str, Any]:
            row = dict(self.maskwright.get(f"/rounds/{round_id}"))
            if progress is not None:
                progress(row["done"], row["total"])
            return row

        ended = _when(look, lambda row: row["state"] not in ("queued", "running"))
        if ended["state"] != "done":
            raise ApiError(f"round_{ended['state']}", ended["error"] or f"The round was {ended['state']}.")
        return self

    def masks(self) -> dict[int, NDArray[np.uint8]]:
        """Return the label map, uint8 [H, W], of each frame that has a mask at the head."""
        info, maps = self.info, {}
        height, width = info["height"], info["width"]
        for first in range(0, info["frame_count"], MASKS_AT_ONCE):
            query = {"first": first, "last": first + MASKS_AT_ONCE - 1}
            for row in self.maskwright.get(f"/videos/{self.id}/masks", params=query)["masks"]:
                labels = np.zeros((height, width), np.uint8)
                for each in row["objects"]:
                    labels[decode_segmentation(each["segmentation"], height, width)] = each["object"]
                maps[row["frame"]] = labels
        return maps

    def accept(self, first: int, last: int) -> int:
        """Accept the masks of the frames from `first` to `last`, and return how many were not accepted before."""
        state = self.maskwright.get(f"/videos/{self.id}/state")
        fields = {"first": first, "last": last, "accepted": True, "head": state["head"], "seen": state["mask_seq"]}
        return int(self.send("frames.accept", **fields))

    def export(self, format: str, target: str | Path, progress: Progress | None = None, **options: Any) -> Path:
        """Export the masks at the head, and download the file to `target`. `options` are as in `Project.export`."""
        body = {"format": format, "options": options}
        made = self.maskwright.create(f"/videos/{self.id}/exports", body)
        return _download(self.maskwright, made["id"], Path(target), progress)

    def send(self, type: str, **fields: Any) -> Any:
        """Send a message of the socket's protocol (docs/contracts.md) and return its result. It takes effect once."""
        message = {"type": type, "key": str(uuid4()), **fields}
        return self.maskwright.call("POST", f"/videos/{self.id}/commands", repeat=True, json=message)["result"]


def _download(maskwright: Maskwright, export_id: int, target: Path, progress: Progress | None) -> Path:
    """Wait for an export and write its file to `target`. A download that breaks continues where it broke."""
    ended = _followed(maskwright, f"/exports/{export_id}", progress)
    if ended["state"] != "done":
        raise ApiError(f"export_{ended['state']}", ended["error"] or "The export was cancelled.")
    part = target.with_name(f"{target.name}.part")
    part.unlink(missing_ok=True)
    for attempt in range(TRIES):
        try:
            _append(maskwright, export_id, part)
            break
        except httpx.TransportError as error:
            if attempt == TRIES - 1:
                raise ApiError("unreachable", f"The download broke: {error}.") from None
            time.sleep(_pause(attempt))
    return part.replace(target)


def _followed(maskwright: Maskwright, address: str, progress: Progress | None) -> dict[str, Any]:
    """Wait until an export or import neither waits nor runs, and return it."""

    def look() -> dict[str, Any]:
        row = dict(maskwright.get(address))
        if progress is not None:
            progress(row["progress_done"], row["progress_total"])
        return row

    return _when(look, lambda row: row["state"] not in ("queued", "running"))


def _append(maskwright: Maskwright, export_id: int, part: Path) -> None:
    have = part.stat().st_size if part.exists() else 0
    headers = {"Range": f"bytes={have}-"} if have else {}
    with maskwright.stream(f"/exports/{export_id}/file", headers) as answer:
        mode = "ab" if answer.status_code == 206 else "wb"
        with part.open(mode) as file:
            for data in answer.iter_raw():
                file.write(data)


def _when(look: Callable[[], dict[str, Any]], done: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Look at something again and again until it is done, and return it."""
    pause, longest = POLL_SECONDS
    while not done(found := look()):
        time.sleep(pause)
        pause = min(1.3 * pause, longest)
    return found


def _pause(attempt: int, retry_after: str = "") -> float:
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
