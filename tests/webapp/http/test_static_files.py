"""Tests that a web process serves the files of the front end even if it is built while the process runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.http import HttpResponse, StreamingHttpResponse
from django.test import AsyncRequestFactory, RequestFactory

from webapp.http.static_files import StaticFiles

ADDRESS = "/static/assets/index-1a2b3c.js"


@pytest.fixture
def dist(settings: Any, tmp_path: Path) -> Path:
    """Return the folder of the built front end, which does not exist yet."""
    folder = tmp_path / "dist"
    settings.STATICFILES_DIRS = [folder]
    return folder


def build(dist: Path) -> Path:
    made = dist / "assets" / "index-1a2b3c.js"
    made.parent.mkdir(parents=True)
    made.write_text("let studio")
    return made


def status(static_files: StaticFiles) -> int:
    return static_files(RequestFactory().get(ADDRESS)).status_code


def not_found(request: object) -> HttpResponse:
    return HttpResponse(status=404)


def test_a_file_of_a_later_build_is_served(dist: Path) -> None:
    static_files = StaticFiles(not_found)
    assert status(static_files) == 404
    build(dist)
    answer = static_files(RequestFactory().get(ADDRESS))
    assert answer.status_code == 200
    assert b"".join(answer) == b"let studio"
    assert "immutable" in answer["Cache-Control"]


def test_files_of_djangos_packages_are_served(dist: Path) -> None:
    answer = StaticFiles(not_found)(RequestFactory().get("/static/admin/css/base.css"))
    assert (answer.status_code, answer["Content-Type"]) == (200, 'text/css; charset="utf-8"')


def test_a_file_that_a_later_build_removed_is_not_found(dist: Path) -> None:
    made = build(dist)
    static_files = StaticFiles(not_found)
    assert status(static_files) == 200
    made.unlink()
    assert status(static_files) == 404
    assert status(static_files) == 404


def test_no_file_outside_of_the_build_is_served(dist: Path) -> None:
    build(dist)
    (dist.parent / "secret_key").write_text("x")
    outside = RequestFactory().get("/static/../secret_key")
    assert StaticFiles(not_found)(outside).status_code == 404


async def test_a_file_is_read_with_an_asynchronous_iterator_under_asgi(dist: Path) -> None:
    build(dist)
    answer = StaticFiles(not_found)(AsyncRequestFactory().get(ADDRESS))
    assert isinstance(answer, StreamingHttpResponse)
    assert answer.is_async, "Django warns of each other file that it sends"
    assert b"".join([part async for part in answer]) == b"let studio"
