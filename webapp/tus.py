"""Reads the headers of tus 1.0, a protocol of resumable uploads that many programs speak (https://tus.io)."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from webapp.problems import Problem

HEADER = "Tus-Resumable"
VERSION = "1.0.0"
EXTENSIONS = "creation,termination,checksum"
ALGORITHMS = ("sha1", "sha256", "md5")
CHECKSUM_MISMATCH = 460  # This status is of tus alone.


def speaks_tus(request: HttpRequest) -> bool:
    return HEADER in request.headers


def name_and_size(request: HttpRequest) -> tuple[str, int]:
    """Return the name and the size in bytes that the headers Upload-Metadata and Upload-Length announce.

    Without a name in them it is "video". Raises Problem if the headers cannot be read.
    """
    length = request.headers.get("Upload-Length", "")
    if not (length.isascii() and length.isdigit() and len(length) < 17):
        raise Problem("invalid", "The header Upload-Length must be the size of the file in bytes.", 400)
    metadata = {}
    for pair in filter(None, (part.strip() for part in request.headers.get("Upload-Metadata", "").split(","))):
        key, _, value = pair.partition(" ")
        try:
            metadata[key] = base64.b64decode(value.strip(), validate=True).decode()
        except ValueError:  # of the decoding of Base64 and of UTF-8
            raise Problem("invalid", "A value in the header Upload-Metadata is no Base64 of UTF-8.", 400) from None
    name = metadata.get("filename") or metadata.get("name") or "video"
    if "\0" in name or len(name) > 1000:
        raise Problem("invalid", "The file name in Upload-Metadata cannot be used.", 400)
    return name, int(length)


@dataclass(frozen=True)
class Checksum:
    """The hash that the bytes of a chunk must have, as the header Upload-Checksum says."""

    algorithm: str
    digest: bytes

    def new(self) -> Any:
        return hashlib.new(self.algorithm, usedforsecurity=False)


def checksum_of(request: HttpRequest) -> Checksum | None:
    """Return the checksum that a request gives, or None. Raises Problem if it cannot be read."""
    if "Upload-Checksum" not in request.headers:
        return None
    algorithm, _, digest = request.headers["Upload-Checksum"].partition(" ")
    try:
        if algorithm not in ALGORITHMS:
            raise ValueError
        return Checksum(algorithm, base64.b64decode(digest.strip(), validate=True))
    except ValueError:
        text = f"The header Upload-Checksum must be one of {', '.join(ALGORITHMS)}, a space, and the sum in Base64."
        raise Problem("invalid", text, 400) from None
