"""Uploads and downloads that continue where a connection broke."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import httpx

from maskwright.connection import TRIES, ApiError, Connection, Progress, pause

CHUNK = 8 << 20  # bytes of an upload that are sent at once


def upload(connection: Connection, project_id: int, path: Path, progress: Progress | None) -> str:
    """Send a file to the server, and return the id of the upload."""
    size = path.stat().st_size
    began = connection.create(f"/projects/{project_id}/uploads", {"name": path.name, "size": size})
    address, sent = f"/uploads/{began['id']}", 0
    with path.open("rb") as file:
        while sent < size:
            sent = _send(connection, address, file.read, file.seek, sent)
            if progress is not None:
                progress(sent, size)
    return str(began["id"])


def _send(
    connection: Connection, address: str, read: Callable[[int], bytes], seek: Callable[[int], int], sent: int
) -> int:
    """Send the next chunk and return how many bytes the server has now."""
    seek(sent)
    headers = {"Upload-Offset": str(sent), "Content-Type": "application/octet-stream"}
    try:
        return int(connection.call("PATCH", address, content=read(CHUNK), headers=headers)["received"])
    except ApiError as error:
        if error.code not in ("unreachable", "wrong_offset", "chunk_cut", "busy"):
            raise
        return int(connection.get(address)["received"])


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
