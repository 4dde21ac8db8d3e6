"""A client of Maskwright's REST API: projects, uploads, scribbles, rounds, masks and exports from a script.

    maskwright = Maskwright("https://masks.example.org", token)
    video = maskwright.project("Birds").upload("clip.mp4")
    bird = video.add_object("Bird")
    masks = video.scribble(0, bird, [(0.4, 0.5), (0.5, 0.55)]).run().masks()

A call returns when what it asks for is done. It raises ApiError, whose text is a sentence, if that fails, and OSError
for a file on this machine that cannot be read or written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from maskwright.connection import ApiError, Connection, Progress, when
from maskwright.teamwork import TeamWork
from maskwright.transfer import download, upload
from segmentation.formats.coco_rle import decode_segmentation

__all__ = ["ApiError", "Maskwright", "Project", "Video"]

MASKS_AT_ONCE = 500

Point = tuple[float, float]  # x and y as shares of the width and the height, 0..1


class Maskwright:
    """A connection to a server, as the owner of a token.

    Args:
        url: the address of the server, such as https://masks.example.org.
        token: a token that its owner made on the page, with POST /api/tokens or with `maskwright token`.
        timeout: seconds for which a call waits to be connected, or for the next bytes of its answer.
    """

    def __init__(self, url: str, token: str, timeout: float = 60.0) -> None:
        self.connection = Connection(url, token, timeout)

    def project(self, name: str, *, make: bool = True) -> Project:
        """Return the project of this name. If there is none it is created, or without `make` ApiError is raised.

        Spaces around the name do not count, as on the page. An archived project is not returned, and no second one of
        its name is created: that raises ApiError "archived".
        """
        name = name.strip()
        for archived in (False, True):
            for row in self.connection.rows("/projects", q=name, archived=archived):
                if row["name"] == name and archived:
                    text = f"The project {name!r} is archived. Take it out of the archive, or use another name."
                    raise ApiError("archived", text, 409)
                if row["name"] == name:
                    return Project(self.connection, row["id"], name)
        if not make:
            raise ApiError("not_found", f"There is no project {name!r}, or you are no member of it.", 404)
        return Project(self.connection, self.connection.create("/projects", {"name": name})["id"], name)

    def projects(self) -> list[Project]:
        """Return the projects of the token's owner that are not archived. A token may be limited to some of them."""
        return [Project(self.connection, row["id"], row["name"]) for row in self.connection.rows("/projects")]

    def work(self) -> dict[str, list[dict[str, Any]]]:
        """Return the queue of the owner of the token: "jobs" to annotate, "reviews", and "pools" to take a job from."""
        found: dict[str, list[dict[str, Any]]] = {"jobs": [], "reviews": [], "pools": []}
        after: dict[str, int | None] = dict.fromkeys(found)
        while after:
            query = {f"{name}_after": cursor for name, cursor in after.items() if cursor is not None}
            part = self.connection.get("/me/work", params=query)
            for name in after:
                found[name] += part[name]
            after = {name: part[f"next_{name}"] for name in after if part[f"next_{name}"] is not None}
        return found

    def close(self) -> None:
        self.connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


@dataclass(frozen=True)
class Project:
    """A project of the server."""

    connection: Connection = field(repr=False)
    id: int
    name: str

    @property
    def team(self) -> TeamWork:
        """The jobs, members, webhooks and quota of the project."""
        return TeamWork(self.connection, self.id)

    def videos(self) -> list[Video]:
        """Return all videos of the project, the oldest first."""
        return [Video(self.connection, row["id"]) for row in self.connection.rows(f"/projects/{self.id}/videos")]

    def video(self, which: str | int) -> Video:
        """Return the video with this id or, if none has it, with this name.

        Raises ApiError if there is none, or several have the name.
        """
        rows = list(self.connection.rows(f"/projects/{self.id}/videos"))
        named = [row for row in rows if str(row["id"]) == str(which)] or [row for row in rows if row["name"] == which]
        if len(named) != 1:
            many = "Several videos are" if named else "No video is"
            raise ApiError("not_found", f"{many} called {which!r} in {self.name}.", 404)
        return Video(self.connection, named[0]["id"])

    def upload(self, path: str | Path, progress: Progress | None = None) -> Video:
        """Upload a file, and wait until its video is imported. A connection that breaks costs at most one chunk.

        If the file holds several videos, this waits for the first one and returns it; `videos` has the others, too.
        `progress` is called with the number of bytes that were sent and the size of the file.
        """
        address = f"/uploads/{upload(self.connection, self.id, Path(path), progress)}"
        video = Video(self.connection, self.connection.call("POST", f"{address}/finish", repeat=True)["id"])
        return video.wait()

    def fetch(self, source: str, progress: Progress | None = None) -> Video:
        """Let the server get a video itself, and wait until it is imported.

        `source` is an address, or a path below the import folder of the server; a folder there is packed. `progress` is
        called with the number of bytes that the server has and the size, 0 if it is not known.
        """
        made = self.connection.create(f"/projects/{self.id}/fetches", {"source": source})
        ended = self.connection.followed(f"/fetches/{made['id']}", progress)
        if ended["state"] != "done":
            raise ApiError(f"fetch_{ended['state']}", ended["error"] or "It was cancelled.")
        return Video(self.connection, ended["video"]).wait()

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
        sent = upload(self.connection, self.id, Path(path), progress)
        body = {"upload": sent, "video": None if video is None else video.id, **options}
        made = self.connection.create(f"/projects/{self.id}/mask-imports", body)
        address = f"/mask-imports/{made['id']}"
        ended = self.connection.followed(address, progress)
        if ended["state"] == "asking":
            self.connection.call("DELETE", address)
            names = ", ".join(ended["unknown_labels"])
            text = f"The project has no labels {names}. Say what they are with `labels`, or make or drop them."
            raise ApiError("labels_asked", text)
        if ended["state"] != "done":
            raise ApiError(f"import_{ended['state']}", ended["error"] or "The import was cancelled.")
        return list(ended["result"])

    def export(self, format: str, target: str | Path, progress: Progress | None = None, **options: Any) -> Path:
        """Export all videos that have masks in one file, and download it to `target`.

        `options` are those of docs/formats.md, such as spans, accepted_only, labels, names, shape, look and matte.
        Raises ApiError for `objects`, which are numbered in each video by itself: `Video.export` takes them.
        """
        if "objects" in options:
            raise ApiError("no_video", "Objects are chosen by their numbers in one video: use Video.export.")
        body = {"format": format, "options": options}
        made = self.connection.create(f"/projects/{self.id}/exports", body)
        return download(self.connection, made["id"], Path(target), progress)


@dataclass(frozen=True)
class Video:
    """A video of the server."""

    connection: Connection = field(repr=False)
    id: int

    @property
    def info(self) -> dict[str, Any]:
        """The card of the video: name, width, height, frame_count, fps, state, note ..."""
        return dict(self.connection.get(f"/videos/{self.id}"))

    def wait(self) -> Video:
        """Wait until the video is imported. Raises ApiError if the import failed or was cancelled."""
        info = when(lambda: self.info, lambda info: info["state"] != "importing")
        if info["state"] != "ready":
            raise ApiError("import_failed", info["error"] or "The import was cancelled.")
        return self

    def add_object(self, name: str = "") -> int:
        """Add an object and return its id, which is its value in masks."""
        return int(self.send("object.add", name=name))

    def scribble(self, frame: int, object: int, path: Sequence[Point]) -> Video:
        """Draw a scribble for an object, or with `object` 0 for the background. `run` uses it."""
        self.send("scribble.add", frame=frame, object=object, path=[list(point) for point in path])
        return self

    def run(
        self, frames: Sequence[int] | None = None, engine: str = "default", progress: Progress | None = None
    ) -> Video:
        """Run a round with the scribbles that no round has used, and wait until it ends.

        `frames` are the frames that were drawn on; None takes all on which this user has such scribbles. Raises
        ApiError if there are none, and if the round ends in another state than "done".
        """
        state = self.connection.get(f"/videos/{self.id}/state")
        if frames is None:
            me = self.connection.get("/me")["id"]
            frames = sorted({row["frame"] for row in state["scribbles"] if row["author"]["id"] == me})
        if not frames:
            raise ApiError("no_scribbles", "There is no scribble yet. Draw one, then run.")
        round_id = self.send("round.run", frames=list(frames), engine=engine, base=state["head"])

        def look() -> dict[str, Any]:
            row = dict(self.connection.get(f"/rounds/{round_id}"))
            if progress is not None:
                progress(row["done"], row["total"])
            return row

        ended = when(look, lambda row: row["state"] not in ("queued", "running"))
        if ended["state"] != "done":
            raise ApiError(f"round_{ended['state']}", ended["error"] or f"The round was {ended['state']}.")
        return self

    def masks(self) -> dict[int, NDArray[np.uint8]]:
        """Return the label map, uint8 [H, W], of each frame that has a mask at the head."""
        info, maps = self.info, {}
        height, width = info["height"], info["width"]
        for first in range(0, info["frame_count"], MASKS_AT_ONCE):
            query = {"first": first, "last": first + MASKS_AT_ONCE - 1}
            for row in self.connection.get(f"/videos/{self.id}/masks", params=query)["masks"]:
                labels = np.zeros((height, width), np.uint8)
                for each in row["objects"]:
                    labels[decode_segmentation(each["segmentation"], height, width)] = each["object"]
                maps[row["frame"]] = labels
        return maps

    def rounds(self) -> Iterator[dict[str, Any]]:
        """Yield all rounds of the video with their scribbles, the newest first. They are read in pages."""
        before: dict[str, int] | None = {}
        while before is not None:
            page = self.connection.get(f"/videos/{self.id}/rounds", params=before)
            yield from page["rounds"]
            before = None if page["next"] is None else {"before": page["next"]}

    def accept(self, first: int, last: int) -> int:
        """Accept the masks of the frames from `first` to `last`, and return how many were not accepted before."""
        state = self.connection.get(f"/videos/{self.id}/state")
        fields = {"first": first, "last": last, "accepted": True, "head": state["head"], "seen": state["mask_seq"]}
        return int(self.send("frames.accept", **fields))

    def export(self, format: str, target: str | Path, progress: Progress | None = None, **options: Any) -> Path:
        """Export the masks at the head, and download the file to `target`.

        `options` are as in `Project.export`; `objects`, a list of object ids, is allowed, too.
        """
        body = {"format": format, "options": options}
        made = self.connection.create(f"/videos/{self.id}/exports", body)
        return download(self.connection, made["id"], Path(target), progress)

    def send(self, type: str, **fields: Any) -> Any:
        """Send a message of the socket's protocol (docs/contracts.md) and return its result. It takes effect once."""
        message = {"type": type, "key": str(uuid4()), **fields}
        return self.connection.call("POST", f"/videos/{self.id}/commands", repeat=True, json=message)["result"]
