"""Files in S3-compatible buckets that an administrator has allowed (MASKWRIGHT_IMPORT_BUCKETS).

The endpoint and the credentials are those of boto3, which reads them from its own environment variables.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from django.conf import settings

from webapp.problems import Problem
from webapp.videos.packing import Member, check_count

SCHEME = "s3://"
PIECE = 1 << 16  # bytes
MOST_LISTED = 1000  # objects and folders below one prefix


@dataclass(frozen=True)
class Place:
    """A bucket and the key of an object in it, or the beginning of keys: a prefix that ends with "/" or is empty."""

    bucket: str
    key: str

    @property
    def address(self) -> str:
        return f"{SCHEME}{self.bucket}/{self.key}"

    @property
    def is_folder(self) -> bool:
        return not self.key or self.key.endswith("/")

    @property
    def name(self) -> str:
        """The last part of the key, or the name of the bucket."""
        return self.key.rstrip("/").rpartition("/")[2] or self.bucket


@dataclass(frozen=True)
class Found:
    """What a bucket has below a prefix: the address of an object with its size in bytes, or of a further prefix."""

    address: str
    is_folder: bool
    size: int


def is_in_bucket(source: str) -> bool:
    return source.lower().startswith(SCHEME)


def allowed_places() -> list[Place]:
    """Return the buckets, or the prefixes in them, that the setting allows."""
    parts = [entry.partition("/") for entry in settings.CONFIG["MASKWRIGHT_IMPORT_BUCKETS"]]
    return [Place(bucket, f"{prefix.strip('/')}/" if prefix.strip("/") else "") for bucket, _, prefix in parts]


def place_of(source: str, field: str = "source") -> Place:
    """Return the bucket and the key of an address `s3://bucket/key`.

    Raises Problem: "switched_off" if the site allows no bucket, "not_found" if it does not allow this one.
    """
    allowed = allowed_places()
    if not allowed:
        text = "This site gets no files from buckets. An administrator can allow some (MASKWRIGHT_IMPORT_BUCKETS)."
        raise Problem("switched_off", text, 409, field=field)
    wanted = parse_place(source)
    is_plain = not {".", ".."} & set(wanted.key.split("/"))  # HTTP clients resolve such parts of a path.
    if not is_plain or not any(_is_within(wanted, place) for place in allowed):
        names = ", ".join(place.address for place in allowed)
        text = f"{source[:200]!r} is not in a bucket that this site reads. It reads {names[:500]}."
        raise Problem("not_found", text, 404, field=field)
    return wanted


def parse_place(source: str) -> Place:
    """Return the bucket and the key of an address `s3://bucket/key`, whether or not the site allows it."""
    bucket, _, key = source[len(SCHEME) :].partition("/")
    return Place(bucket, key)


def _is_within(wanted: Place, allowed: Place) -> bool:
    return wanted.bucket == allowed.bucket and wanted.key.startswith(allowed.key)


def list_place(place: Place) -> list[Found]:
    """Return at most MOST_LISTED prefixes and objects directly below a prefix. Raises Problem."""
    prefix = place.key if not place.key or place.key.endswith("/") else f"{place.key}/"
    with connected(place, "path") as client:
        answer = client.list_objects_v2(Bucket=place.bucket, Prefix=prefix, Delimiter="/", MaxKeys=MOST_LISTED)
    folders = [entry["Prefix"] for entry in answer.get("CommonPrefixes", [])]
    objects = [(entry["Key"], entry["Size"]) for entry in answer.get("Contents", []) if entry["Key"] != prefix]
    found = [Found(Place(place.bucket, key).address, True, 0) for key in folders]
    return found + [Found(Place(place.bucket, key).address, False, size) for key, size in objects]


@contextmanager
def open_object(client: Any, place: Place) -> Iterator[tuple[int, Iterator[bytes]]]:
    """Yield the size of an object in bytes and its bytes in pieces. Raises Problem, also while the pieces are read."""
    with _explained(place, "source"):
        answer = client.get_object(Bucket=place.bucket, Key=place.key)
        with closing(answer["Body"]) as body:
            yield answer["ContentLength"], body.iter_chunks(PIECE)


def objects_below(client: Any, place: Place) -> list[Member]:
    """Return all objects whose keys begin with a prefix, in the order of their keys. Raises Problem.

    Objects are left out whose keys are no paths of files, such as markers of folders.
    """
    members = []
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=place.bucket, Prefix=place.key)
    for entry in (entry for page in pages for entry in page.get("Contents", [])):
        path = entry["Key"].removeprefix(place.key)
        if not {"", ".", ".."} & set(path.split("/")):
            found = Place(place.bucket, entry["Key"])
            members.append(Member(path, entry["Size"], partial(_pieces, client, found)))
            check_count(len(members))
    if not members:
        raise Problem("not_found", f"There is nothing in {place.address[:300]!r}.", 404, field="source")
    return members


def _pieces(client: Any, place: Place) -> Iterator[bytes]:
    with open_object(client, place) as (_, pieces):
        yield from pieces


@contextmanager
def connected(place: Place, field: str) -> Iterator[Any]:
    """Yield a client of the bucket's server, whose errors become Problems that name the place."""
    with _explained(place, field):
        yield s3_client()


@cache
def s3_client() -> Any:
    """Return the boto3 client, which several threads may use. It is made once, because making one is slow."""
    import boto3  # An optional package, which takes long to import.
    from botocore.config import Config

    limits: dict[str, Any] = {"connect_timeout": 5, "read_timeout": 15, "retries": {"max_attempts": 2}}
    # A session of its own: boto3's default session may not be shared by threads.
    return boto3.Session().client("s3", config=Config(**limits))


@contextmanager
def _explained(place: Place, field: str) -> Iterator[None]:
    """Turn errors of the bucket's server into Problems that name the place."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code in ("404", "NoSuchKey", "NoSuchBucket"):
            raise Problem("not_found", f"There is no {place.address[:300]!r}.", 404, field=field) from None
        text = f"The server may not read {place.address[:300]!r}: its bucket answers {code[:60]}."
        raise Problem("unreadable", text, 409, field=field) from None
    except (BotoCoreError, ValueError) as error:  # ValueError: the endpoint is no address.
        text = f"The bucket {place.bucket[:100]!r} cannot be reached: {str(error)[:300]}."
        raise Problem("unreachable", text, 409, field=field) from None
