"""Tests of stored files: a folder and a bucket do the same for whoever uses them."""

from __future__ import annotations

import dataclasses
import os
import socket
import threading
import time
from functools import partial
from pathlib import Path

import pytest

from webapp.storage.address import BucketAddress
from webapp.storage.bucket import BucketStorage
from webapp.storage.cache import FileCache
from webapp.storage.failure import StorageAway
from webapp.storage.files import SITE_ID, Storage
from webapp.storage.folder import FolderStorage


@pytest.fixture(params=["folder", "bucket"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    if request.param == "folder":
        return FolderStorage(tmp_path / "stored")
    return BucketStorage(request.getfixturevalue("bucket"), FileCache(tmp_path / "cache", 1 << 20, 0))


def filled(folder: Path, **files: bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


def read(kept: Storage, name: str, start: int = 0) -> bytes:
    with kept.open(name, start) as file:
        return file.read()


def test_a_file_is_saved_read_replaced_and_removed(kept: Storage, tmp_path: Path) -> None:
    (tmp_path / "stored").mkdir()
    kept.check()
    file = filled(tmp_path, new=b"0123456789") / "new"
    kept.save(file, "exports/7")
    assert not file.exists()
    assert (read(kept, "exports/7"), read(kept, "exports/7", 4)) == (b"0123456789", b"456789")
    assert kept.size("exports/7") == 10
    kept.look()
    assert kept.open_cached("exports/7").read() == b"0123456789"
    kept.save(filled(tmp_path, new=b"other") / "new", "exports/7")
    assert read(kept, "exports/7") == b"other"
    assert kept.sizes("exports") == {"7": 5}
    kept.remove("exports/7")
    kept.remove("exports/7")
    for look in (kept.open, kept.size, kept.open_cached):
        with pytest.raises(FileNotFoundError):
            look("exports/7")
    assert kept.sizes("exports") == kept.sizes("nowhere") == {}
    assert kept.folders("nowhere") == []


def test_folders_are_saved_copied_exchanged_and_set_aside(kept: Storage, tmp_path: Path) -> None:
    beats: list[None] = []
    filled(tmp_path / "new" / "frames", a=b"1", b=b"22")
    kept.save_folder(tmp_path / "new", "videos/3", lambda: beats.append(None))
    filled(tmp_path / "again" / "frames", b=b"333")
    kept.save_folder(tmp_path / "again", "videos/3", lambda: None)
    assert kept.sizes("videos/3/frames") == {"b": 3}, "a file of the earlier folder is gone"
    kept.copy_folder("videos/3", "videos/4", "videos/copying", lambda: beats.append(None))()
    assert (kept.sizes("videos/4/frames"), sorted(kept.folders("videos"))) == ({"b": 3}, ["3", "4"])
    assert beats
    assert 0 <= kept.age("videos/4") < 60
    with pytest.raises(FileNotFoundError):
        kept.age("videos/99")
    take_back = kept.exchange_folder(filled(tmp_path / "t", b=b"4444"), "videos/3/frames", "videos/3/before")
    assert (read(kept, "videos/3/frames/b"), read(kept, "videos/3/before/b")) == (b"4444", b"333")
    take_back()
    assert (read(kept, "videos/3/frames/b"), kept.folders("videos/3")) == (b"333", ["frames"])
    kept.set_aside("videos", "3")
    kept.set_aside("videos", "99")
    kept.remove_set_aside("videos")
    assert kept.folders("videos") == ["4"]
    with pytest.raises(ZeroDivisionError):
        kept.copy_folder("videos/4", "videos/5", "videos/copying", lambda: 1 // 0)
    with pytest.raises(FileNotFoundError):
        kept.copy_folder("videos/99", "videos/6", "videos/copying", lambda: None)
    assert "6" not in kept.folders("videos")
    kept.remove_folder("videos/4")
    kept.remove_folder("videos/4")
    assert "4" not in kept.folders("videos")


def test_an_exchange_that_breaks_in_the_middle_leaves_the_folder_as_it_was(
    bucket: BucketAddress, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = BucketStorage(bucket, FileCache(tmp_path / "cache", 1 << 20, 0))
    kept.save_folder(filled(tmp_path / "old", a=b"1", b=b"2"), "videos/3/truth", lambda: None)
    upload = kept._upload

    def break_at_b(path: Path, name: str) -> None:
        if name.endswith("/b"):
            raise StorageAway("The server went away.")
        upload(path, name)

    monkeypatch.setattr(kept, "_upload", break_at_b)
    with pytest.raises(StorageAway):
        kept.exchange_folder(filled(tmp_path / "new", a=b"9", b=b"9"), "videos/3/truth", "videos/3/before")
    assert (read(kept, "videos/3/truth/a"), read(kept, "videos/3/truth/b")) == (b"1", b"2")
    assert kept.folders("videos/3") == ["truth"]


def test_frames_are_fetched_ahead_and_read_without_the_server(bucket: BucketAddress, tmp_path: Path) -> None:
    cache = FileCache(tmp_path / "cache", 1 << 20, 0)
    kept = BucketStorage(bucket, cache)
    filled(tmp_path / "new", **{str(frame): b"jpeg" for frame in range(6)})
    kept.save_folder(tmp_path / "new", "frames", lambda: None)
    save_id(kept, tmp_path, b"first")
    kept.fetch_ahead(f"frames/{frame}" for frame in range(9))
    deadline = time.monotonic() + 10
    while not all(cache.has(kept._copy_of(f"frames/{frame}")) for frame in range(6)) and time.monotonic() < deadline:
        time.sleep(0.01)
    lost = BucketStorage(BucketAddress("http://127.0.0.1:9", "gone", key="key", secret="secret"), cache)
    assert lost.open_cached("frames/5").read() == b"jpeg"


def save_id(kept: Storage, folder: Path, text: bytes) -> None:
    (folder / "id").write_bytes(text)
    kept.save(folder / "id", SITE_ID)


def test_copies_of_the_files_before_a_restore_are_not_read(bucket: BucketAddress, tmp_path: Path) -> None:
    kept = BucketStorage(bucket, FileCache(tmp_path / "cache", 1 << 20, 0))
    for text in (b"first", b"second"):
        save_id(kept, tmp_path, text)
        kept._site_read = float("-inf")  # As if a minute had passed.
        kept.save_folder(filled(tmp_path / "new", a=text), "frames", lambda: None)
        assert kept.open_cached("frames/a").read() == text
    kept.save_folder(filled(tmp_path / "new", a=b"third"), "frames", lambda: None)
    assert kept.open_cached("frames/a").read() == b"second", "files of one site never change"


def test_a_server_that_refuses_is_named(bucket: BucketAddress, tmp_path: Path) -> None:
    other = BucketAddress(bucket.endpoint, "no-such-bucket", key="key", secret="secret")
    kept = BucketStorage(other, FileCache(tmp_path, 1, 0))
    for look in (kept.check, kept.look):
        with pytest.raises(StorageAway, match="NoSuchBucket"):
            look()
    assert "secret" not in repr(other)


def test_a_file_that_breaks_off_while_it_is_read_means_that_the_storage_is_away(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer_half() -> None:
            with server.accept()[0] as connection:
                connection.recv(1 << 16)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")

        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        kept = BucketStorage(BucketAddress(address, "bucket", key="key", secret="secret"), FileCache(tmp_path, 1, 0))
        for read_file in (lambda file: file.read(), lambda file: file.read(9) + file.read(9), list):
            thread = threading.Thread(target=answer_half)
            thread.start()
            with kept.open("exports/7") as file, pytest.raises(StorageAway, match="does not answer"):
                read_file(file)
            thread.join()


def test_each_bucket_has_copies_of_its_own(tmp_path: Path) -> None:
    one, other = (BucketAddress("https://s3.example.org", "masks", prefix) for prefix in ("", "site/"))
    caches = [FileCache(tmp_path, 2000, 0, each.digest) for each in (one, other)]
    for byte, cache in zip((b"1", b"2"), caches, strict=True):
        cache.open("frame", partial(Path.write_bytes, data=byte * 600)).close()
    assert [cache.open("frame", Path.unlink).read(1) for cache in caches] == [b"1", b"2"]
    assert one.digest == dataclasses.replace(one, key="other", secret="other").digest
    FileCache(tmp_path, 1000, 0).shrink()
    assert sum(cache.has("frame") for cache in caches) == 1, "they are bounded together"


def test_a_copy_that_is_removed_while_it_is_read_is_read_to_its_end(tmp_path: Path) -> None:
    cache = FileCache(tmp_path, most=1, spare=0)
    fetched: list[Path] = []

    def fetch(path: Path) -> None:
        fetched.append(path)
        path.write_bytes(b"jpeg")

    with cache.open("frame", fetch) as file:  # It is larger than the whole cache.
        assert not cache.has("frame")
        assert file.read() == b"jpeg"
    assert cache.open("frame", fetch).read() == b"jpeg"
    assert len(fetched) == 2
    unfinished = tmp_path / ".unfinished"
    unfinished.write_bytes(b"12")
    cache.shrink()
    assert unfinished.exists(), "another process writes it"
    os.utime(unfinished, (0, 0))
    cache.shrink()
    assert not unfinished.exists()


def test_the_files_that_were_not_read_for_longest_leave_the_cache(tmp_path: Path) -> None:
    cache = FileCache(tmp_path, most=1000, spare=0)

    def write(path: Path) -> None:
        path.write_bytes(bytes(100))

    def fetched(name: str) -> None:
        cache.open(name, write).close()

    for number in range(10):
        fetched(str(number))
        (tmp_path / str(number)).touch()
    fetched("0")  # It is read again, so it stays.
    for number in range(10, 14):
        fetched(str(number))
    cache.shrink()
    left = {path.name for path in tmp_path.iterdir()}
    assert {"0", "13"} <= left
    assert "1" not in left
    assert len(left) <= 10
    full = FileCache(tmp_path, most=1 << 40, spare=1 << 60)
    full.shrink()
    assert list(tmp_path.iterdir()) == []
