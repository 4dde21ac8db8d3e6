"""Fixtures for tests of stored files: an empty bucket for each test, and a data folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from webapp.storage.address import USUAL_REGION, BucketAddress
from webapp.storage.bucket import s3_client


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
