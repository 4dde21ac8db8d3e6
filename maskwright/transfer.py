"""Uploads and downloads that continue where a connection broke."""

from __future__ import annotations

import time
from pathlib import Path

import httpx

from maskwright.connection import TRIES, TRY_AGAIN, ApiError, Connection, Progress, pause

CHUNK = 8 << 20  # bytes of an upload that are sent at once
PASSING = ("unreachable", "wrong_offset", "chunk_cut")  # codes of failures after which a chunk is sent again, too


def upload(connection: Connection, project_id: int, path: Path, progress: Progress | None) -> str:
    """Send a file to the server, and return the id of the upload.

    A chunk that does not arrive is sent again after a pause. Raises ApiError if it failed TRIES times in a row, if the
    server refuses it, or if the file becomes shorter meanwhile.
    """
    size = path.stat().st_size
    began = connection.create(f"/projects/{project_id}/uploads", {"name": path.name, "size": size})
    address, sent, failures = f"/uploads/{began['id']}", 0, 0
    with path.open("rb") as file:
        while sent < size:
            file.seek(sent)
            chunk = file.read(CHUNK)
            if not chunk:
                raise ApiError("file_changed", f"{path} has become shorter while it was sent. Send it again.")
            try:
                arrived = _send(connection, address, chunk, sent)
            except ApiError as error:
                passing = error.code in PASSING or error.status in TRY_AGAIN
                if not passing or failures == TRIES - 1:
                    raise
                time.sleep(pause(failures))
                arrived = int(connection.get(address)["received"])
            failures = 0 if arrived > sent else failures + 1
            sent = arrived
            if progress is not None:
                progress(sent, size)
    return str(began["id"])


def _send(connection: Connection, address: str, chunk: bytes, sent: int) -> int:
    """Send a chunk, and return how many bytes the server has then."""
    headers = {"Upload-Offset": str(sent), "Content-Type": "application/octet-stream"}
    return int(connection.call("PATCH", address, content=chunk, headers=headers)["received"])


def download(connection: Connection, export_id: int, target: Path, progress: Progress | None) -> Path:
    """Wait for an export and write its file to `target`. A download that breaks continues where it broke."""
    ended = connection.followed(f"/exports/{export_id}", progress)
    if ended["state"] != "done":
        raise ApiError(f"export_{ended['state']}", ended["error"] or "The export was cancelled.")
    part = target.with_name(f"{target.name}.part")
    part.unlink(missing_ok=True)
    for attempt in range(TRIES):
        try:
            _append(connection, export_id, part)
            break
        except httpx.TransportError as error:
            if attempt == TRIES - 1:
                raise ApiError("unreachable", f"The download broke: {error}.") from None
            time.sleep(pause(attempt))
    return part.replace(target)


def _append(connection: Connection, export_id: int, part: Path) -> None:
    have = part.stat().st_size if part.exists() else 0
    headers = {"Range": f"bytes={have}-"} if have else {}
    with connection.stream(f"/exports/{export_id}/file", headers) as answer:
        mode = "ab" if answer.status_code == 206 else "wb"
        with part.open(mode) as file:
            for data in answer.iter_raw():
                file.write(data)
