"""Stored files in a bucket of a server that speaks S3. Files that are read often are cached on this machine."""

from __future__ import annotations

import errno
import io
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed, wait
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

import boto3
from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from s3transfer.exceptions import RetriesExceededError
from urllib3.exceptions import HTTPError

from webapp.storage.address import BucketAddress
from webapp.storage.cache import FileCache
from webapp.storage.failure import StorageAway
from webapp.storage.files import SITE_ID

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

SET_ASIDE = ".removed/"  # The prefix of the names of empty files that say which folders were set aside.
THREADS = 8
ADDRESS_SECONDS = 3600
SITE_SECONDS = 60.0  # How long the id beside the files is taken to be what it was.
AT_ONCE = 1000  # The most files that one request of S3 removes.
GONE = {"NoSuchKey", "404", "NotFound"}


class BucketStorage:
    """Keeps stored files in a bucket, as `Storage` in files.py describes. Several threads may use one object.

    A server that does not answer, or refuses, raises StorageAway. Folders are prefixes of names, so a folder is not
    saved at one moment: rows of the database say which folders are complete.
    """

    def __init__(self, address: BucketAddress, cache: FileCache) -> None:
        self._address, self._cache = address, cache
        self.on_this_disk = False
        self._client = s3_client(address.endpoint, address.region, address.key, address.secret)
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="bucket")
        self._ahead: set[str] = set()
        self._lock = threading.Lock()
        self._site = ""  # What names the site to which the files belong; it was last read at `_site_read`.
        self._site_read = float("-inf")

    # --- reading ---

    def open_cached(self, name: str) -> IO[bytes]:
        return self._cache.open(self._copy_of(name), lambda path: self._download(name, path))

    def fetch_ahead(self, names: Iterable[str]) -> None:
        for name in names:
            with self._lock:
                if name in self._ahead or self._cache.has(self._copy_of(name)):
                    continue
                self._ahead.add(name)
            self._pool.submit(self._fetch_one, name)

    def _fetch_one(self, name: str) -> None:
        try:
            self.open_cached(name).close()
        except OSError:
            pass  # Whoever reads the file asks again, and is told what is wrong.
        finally:
            with self._lock:
                self._ahead.discard(name)

    def open(self, name: str, start: int = 0) -> IO[bytes]:
        more = {"Range": f"bytes={start}-"} if start else {}
        with _errors(name):
            return cast(IO[bytes], _Body(self._client.get_object(**self._at(name), **more)["Body"], name))

    def size(self, name: str) -> int:
        with _errors(name):
            return int(self._client.head_object(**self._at(name))["ContentLength"])

    def sizes(self, folder: str) -> dict[str, int]:
        found = {}
        for page in self._pages(f"{folder}/", Delimiter="/"):
            for each in page.get("Contents", ()):
                found[self._name(each["Key"]).removeprefix(f"{folder}/")] = each["Size"]
        return found

    def folders(self, folder: str) -> list[str]:
        return [
            self._name(each["Prefix"]).removeprefix(f"{folder}/").rstrip("/")
            for page in self._pages(f"{folder}/", Delimiter="/")
            for each in page.get("CommonPrefixes", ())
        ]

    def age(self, folder: str) -> float:
        with _errors(folder):
            found = self._client.list_objects_v2(**self._below(f"{folder}/"), MaxKeys=1).get("Contents")
        if not found:
            raise FileNotFoundError(errno.ENOENT, "no such folder in the bucket", folder)
        return (datetime.now(UTC) - found[0]["LastModified"]).total_seconds()

    def address(self, name: str, *, media_type: str, saved_as: str = "") -> str | None:
        if not self._address.direct:
            return None
        params = {**self._at(name), "ResponseContentType": media_type}
        if saved_as:
            params["ResponseContentDisposition"] = saved_as
        return str(self._client.generate_presigned_url("get_object", Params=params, ExpiresIn=ADDRESS_SECONDS))

    # --- writing ---

    def save(self, path: Path, name: str) -> None:
        self._upload(path, name)
        path.unlink()

    def save_folder(self, path: Path, name: str, beat: Callable[[], object]) -> None:
        wanted = {f"{name}/{file.relative_to(path).as_posix()}": file for file in path.rglob("*") if file.is_file()}
        self._all(((self._upload, file, to) for to, file in wanted.items()), beat)
        self._remove_all(key for key in self._keys(f"{name}/") if key not in wanted)
        for file in wanted.values():
            file.unlink()

    def exchange_folder(self, path: Path, name: str, old: str) -> Callable[[], None]:
        def take_back() -> None:
            self.remove_folder(name)
            self._copy_all(old, name)
            self.remove_folder(old)

        self._copy_all(name, old)
        try:
            self.save_folder(path, name, lambda: None)
        except BaseException:
            take_back()
            raise
        return take_back

    def copy_folder(self, source: str, target: str, staging: str, beat: Callable[[], object]) -> Callable[[], None]:
        # The files of a bucket cannot be renamed, so they are copied to their place at once.
        if not self._copy_all(source, target, beat):
            raise FileNotFoundError(errno.ENOENT, "no such folder in the bucket", source)
        return lambda: None

    def remove(self, name: str) -> None:
        self._cache.forget(self._copy_of(name))
        with _errors(name):
            self._client.delete_object(**self._at(name))

    def remove_folder(self, name: str) -> None:
        self._remove_all(self._keys(f"{name}/"))

    def set_aside(self, folder: str, name: str) -> None:
        with _errors(name):
            self._client.put_object(**self._at(f"{SET_ASIDE}{folder}/{name}"), Body=b"")

    def remove_set_aside(self, folder: str) -> None:
        for name in self.sizes(f"{SET_ASIDE}{folder}"):
            self.remove_folder(f"{folder}/{name}")
            self.remove(f"{SET_ASIDE}{folder}/{name}")

    def check(self) -> None:
        name = f".ready-{uuid.uuid4().hex}"
        with _errors(name):
            self._client.put_object(**self._at(name), Body=b"ready")
            self._client.get_object(**self._at(name))["Body"].read()
            self._client.delete_object(**self._at(name))

    def look(self) -> None:
        with _errors(self._address.bucket):
            self._quick().list_objects_v2(**self._below(""), MaxKeys=1)

    # --- one file, and many ---

    def _at(self, name: str) -> dict[str, str]:
        return {"Bucket": self._address.bucket, "Key": f"{self._address.prefix}{name}"}

    def _below(self, prefix: str) -> dict[str, str]:
        return {"Bucket": self._address.bucket, "Prefix": f"{self._address.prefix}{prefix}"}

    def _name(self, key: str) -> str:
        return key.removeprefix(self._address.prefix)

    def _copy_of(self, name: str) -> str:
        """Return the name under which the cache keeps a file. It begins with `_read_site`, which a restore changes."""
        if time.monotonic() - self._site_read > SITE_SECONDS:
            self._site = self._read_site()
            self._site_read = time.monotonic()
        return f"{self._site}/{name}"

    def _read_site(self) -> str:
        """Return a hash of the site id that is stored in the bucket, or "no-id" if there is none.

        While the bucket cannot be reached, this is the hash that was read last. Raises StorageAway if none was.
        """
        try:
            with self._cache.renew(SITE_ID, self._download_site) as file:
                return sha256(file.read()).hexdigest()[:16]
        except FileNotFoundError:
            return "no-id"
        except StorageAway:
            if self._site:
                return self._site
            with self._cache.open(SITE_ID, self._download_site) as file:
                return sha256(file.read()).hexdigest()[:16]

    def _download_site(self, path: Path) -> None:
        with _errors(SITE_ID):
            path.write_bytes(self._quick().get_object(**self._at(SITE_ID))["Body"].read())

    def _quick(self) -> Any:
        where = self._address
        return s3_client(where.endpoint, where.region, where.key, where.secret, quick=True)

    def _download(self, name: str, path: Path) -> None:
        with _errors(name):
            self._client.download_file(self._address.bucket, f"{self._address.prefix}{name}", str(path), Config=WHOLE)

    def _upload(self, path: Path, name: str) -> None:
        with _errors(name):
            self._client.upload_file(str(path), self._address.bucket, f"{self._address.prefix}{name}", Config=WHOLE)

    def _copy(self, source: str, target: str) -> None:
        with _errors(source):
            self._client.copy(self._at(source), **self._at(target), Config=WHOLE)

    def _copy_all(self, source: str, target: str, beat: Callable[[], object] = lambda: None) -> int:
        """Copy the files of a folder. Return how many there were."""
        names = list(self._keys(f"{source}/"))
        self._all(((self._copy, name, f"{target}{name.removeprefix(source)}") for name in names), beat)
        return len(names)

    def _remove_all(self, names: Iterable[str]) -> None:
        known = list(names)
        for at in range(0, len(known), AT_ONCE):
            part = known[at : at + AT_ONCE]
            for name in part:
                self._cache.forget(self._copy_of(name))
            wanted = {"Objects": [{"Key": f"{self._address.prefix}{name}"} for name in part], "Quiet": True}
            with _errors(part[0]):
                answer = self._client.delete_objects(Bucket=self._address.bucket, Delete=wanted)
            if failed := answer.get("Errors"):
                raise StorageAway(errno.EIO, f"the bucket keeps {failed[0].get('Key')}: {failed[0].get('Message')}")

    def _all(self, calls: Iterable[tuple[Any, ...]], beat: Callable[[], object]) -> None:
        """Make many calls, each a function with its arguments, a few at a time. `beat` is called after each.

        Raises what one of the calls raises.
        """
        running = [self._pool.submit(*call) for call in calls]
        try:
            for done in as_completed(running):
                done.result()
                beat()
        finally:
            for each in running:
                each.cancel()
            wait(running)  # Nothing is written any more after this method has raised an error.

    def _keys(self, prefix: str) -> Iterator[str]:
        for page in self._pages(prefix):
            yield from (self._name(each["Key"]) for each in page.get("Contents", ()))

    def _pages(self, prefix: str, **more: str) -> Iterator[dict[str, Any]]:
        pages = self._client.get_paginator("list_objects_v2")
        with _errors(prefix):
            yield from pages.paginate(**self._below(prefix), **more)


WHOLE = TransferConfig(use_threads=False)  # A file is sent by the thread that asks for it; large ones in parts.


class _Body(io.RawIOBase):
    """The content of a stored file as it comes from the server. It raises StorageAway if it breaks off."""

    def __init__(self, body: Any, name: str) -> None:
        self._body, self._of = body, name

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        wanted = memoryview(buffer)
        with _errors(self._of):
            data = self._body.read(len(wanted))
        wanted[: len(data)] = data
        return len(data)

    def readall(self) -> bytes:
        with _errors(self._of):
            return bytes(self._body.read())

    def close(self) -> None:
        self._body.close()
        super().close()


@lru_cache(maxsize=8)
def s3_client(endpoint: str, region: str, key: str, secret: str, *, quick: bool = False) -> Any:
    """Return a client of boto3, which several threads may use. It is kept, because making one takes long.

    A `quick` client gives up after two seconds without an answer, and does not try again.
    """
    config = Config(
        region_name=region,
        signature_version="s3v4",
        connect_timeout=2 if quick else 5,
        read_timeout=2 if quick else 30,
        retries={"mode": "standard", "max_attempts": 1 if quick else 4},
        max_pool_connections=2 * THREADS,
        s3={"addressing_style": "path"},
        # Many servers that speak S3 do not know the newer checksums.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    session = boto3.session.Session(key or None, secret or None)
    return session.client("s3", endpoint_url=endpoint, config=config)


@contextmanager
def _errors(name: str) -> Iterator[None]:
    """Turn the errors of the S3 client into FileNotFoundError, or StorageAway with what the server said."""
    try:
        yield
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in GONE:
            raise FileNotFoundError(errno.ENOENT, "no such file in the bucket", name) from None
        raise StorageAway(errno.EIO, f"the bucket refuses: {error}", name) from None
    except (BotoCoreError, Boto3Error, RetriesExceededError, HTTPError) as error:
        raise StorageAway(errno.EIO, f"the bucket does not answer: {error}", name) from None
