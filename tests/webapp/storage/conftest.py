"""Fixtures for tests of stored files: a server in this process that speaks S3, with an empty bucket for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from moto.server import ThreadedMotoServer

from webapp.storage.address import USUAL_REGION, BucketAddress
from webapp.storage.bucket import s3_client


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """Start a server that speaks S3, and return its address."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3_server: str) -> BucketAddress:
    """Create a bucket and return its address."""
    address = BucketAddress(s3_server, f"masks-{uuid4().hex[:12]}", "site/", key="key", secret="secret")
    s3_client(s3_server, USUAL_REGION, "key", "secret").create_bucket(Bucket=address.bucket)
    return address


@pytest.fixture
def home(settings: Any, tmp_path: Path) -> Path:
    settings.HOME = tmp_path / "home"
    settings.HOME.mkdir()
    return settings.HOME
