"""Tests of the URLs that serve the front end, and of the security headers of responses."""

import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client

from webapp.accounts.models import User
from webapp.http.page import PROJECT_TABS

ADDRESSES = ["/", "/projects/3", "/projects/3/", "/projects/3/members", "/videos/7", "/sign-in"]
UNKNOWN = [
    "/healthy",
    "/projects",
    "/projects/0",
    "/projects/x",
    "/projects/3/nothing",
    "/videos/12/more",
    "/anything/",
]


@pytest.fixture
def built(settings: Any, tmp_path: Path) -> str:
    html = "<!doctype html><title>Built</title>"
    (tmp_path / "index.html").write_text(html)
    settings.FRONTEND_DIST = tmp_path
    return html


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_address_of_the_page_answers_with_it(built: str, address: str) -> None:
    client = Client()
    answer = client.get(address)
    assert (answer.status_code, answer.content.decode()) == (200, built)
    assert client.cookies["csrftoken"].value
    assert "no-cache" in answer.headers["cache-control"]


@pytest.mark.parametrize("address", UNKNOWN)
def test_an_address_that_the_page_does_not_know_is_not_found(built: str, address: str) -> None:
    answer = Client().get(address)
    assert answer.status_code == 404
    assert built not in answer.content.decode()


def test_the_tabs_are_those_of_the_front_end() -> None:
    """The server and the front end must list the same tabs of a project. The server answers 404 for any other tab."""
    source = (Path(django_settings.BASE_DIR) / "frontend" / "src" / "route.ts").read_text()
    listed = re.search(r"export const TABS = \[(.*?)\]", source, re.DOTALL)
    assert listed is not None
    assert tuple(re.findall(r'"(\w+)"', listed[1])) == PROJECT_TABS


@pytest.mark.parametrize("address", ["/favicon.ico", "/static/assets/gone-abc123.js", "/ws/videos/1", "/videos/7.png"])
def test_a_missing_file_is_not_the_page(built: str, address: str) -> None:
    assert Client().get(address).status_code == 404


def test_an_unknown_call_answers_as_calls_do(built: str, owner: User) -> None:
    client = Client()
    client.force_login(owner)
    for address in ("/api/nothing", "/api/", "/api/projects/x"):
        answer = client.get(address)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_a_script_that_posts_to_an_unknown_call_is_told_so(built: str) -> None:
    script = Client(enforce_csrf_checks=True)
    for send in (script.post, script.put, script.patch, script.delete):
        answer = send("/api/videos/1/nothing", headers={"Authorization": "Bearer token"})
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_it_says_how_to_build_the_page(settings: Any, tmp_path: Path) -> None:
    settings.FRONTEND_DIST = tmp_path / "dist"
    answer = Client().get("/")
    assert answer.status_code == 503
    assert b"make run" in answer.content


def test_nothing_is_posted_to_the_page(built: str) -> None:
    assert Client().post("/projects/3").status_code == 405


def test_the_browser_is_told_to_load_nothing_from_elsewhere(built: str) -> None:
    headers = Client().get("/").headers
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'self'"
    assert policy["img-src"] == "'self' blob: data:"
    assert policy["worker-src"] == "'self' blob:"
    assert policy["connect-src"] == "'self' ws://testserver wss://testserver"
    assert policy["frame-ancestors"] == "'none'"
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"


def test_the_list_of_calls_is_for_those_who_signed_in(client_as: Callable[[User | None], Client], owner: User) -> None:
    assert client_as(None).get("/api/openapi.json").status_code == 302
    assert client_as(owner).get("/api/openapi.json").status_code == 200
    docs = client_as(owner).get("/api/docs").content.decode()
    assert "https://" not in docs  # The page loads nothing from another host.


def test_a_fault_of_the_server_is_logged_and_its_insides_are_not_shown(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    client_as: Callable[[User | None], Client],
    owner: User,
) -> None:
    def broken(user: User) -> None:
        raise RuntimeError("the insides")

    monkeypatch.setattr("webapp.projects.api._with_counts", broken)
    log = logging.getLogger("django.request")
    assert any(isinstance(handler, logging.StreamHandler) for handler in log.handlers)
    log.addHandler(caplog.handler)
    client = client_as(owner)
    client.raise_request_exception = False
    answer = client.get("/api/projects")
    log.removeHandler(caplog.handler)
    assert answer.status_code == 500
    assert b"the insides" not in answer.content
    assert "the insides" in caplog.text
