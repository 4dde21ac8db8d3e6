"""Tests that logs can be read by people or by programs, and that a line has what is bound while it is written."""

from __future__ import annotations

import json
import logging

import pytest
import structlog
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from structlog.contextvars import bound_contextvars

from webapp import logs
from webapp.http.request_id import HEADER, RequestId


def written(form: str, capsys: pytest.CaptureFixture[str], event: str, **values: object) -> str:
    """Log an event by structlog, as the code does, and return the line that a handler with this formatter writes."""
    handler = logging.StreamHandler()
    handler.setFormatter(logs.formatter(form))
    target = logging.getLogger("webapp.test_logs")
    target.addHandler(handler)
    target.propagate = False
    try:
        capsys.readouterr()
        structlog.get_logger("webapp.test_logs").warning(event, **values)
    finally:
        target.removeHandler(handler)
    return capsys.readouterr().err


def test_json_has_the_event_its_values_and_what_is_bound(capsys: pytest.CaptureFixture[str]) -> None:
    with bound_contextvars(request="abc", path="/api/me"):
        line = written("json", capsys, "database_busy", error="locked")
    found = json.loads(line)
    assert {**found, "timestamp": None} == {
        "event": "database_busy",
        "error": "locked",
        "request": "abc",
        "path": "/api/me",
        "logger": "webapp.test_logs",
        "level": "warning",
        "timestamp": None,
    }


def test_an_error_in_json_is_one_line_with_its_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    line = written("json", capsys, "round_failed", exc_info=ValueError("no frames"))
    assert line.count("\n") == 1
    assert json.loads(line)["exception"][0]["exc_value"] == "no frames"


@pytest.mark.parametrize("form", ["json", "text"])
def test_a_traceback_shows_no_local_variables(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    def sign_in(password: str) -> None:
        raise ValueError(f"{len(password)} letters")

    try:
        sign_in("horse" + "battery")  # The source line, which a traceback shows, has not the whole word.
    except ValueError as error:
        line = written(form, capsys, "sign_in_failed", exc_info=error)
    assert "12 letters" in line
    assert "horsebattery" not in line


def test_text_is_a_line_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    line = written("text", capsys, "task_not_sent", row=7)
    assert "task_not_sent" in line
    assert "row=7" in line
    assert "warning" in line


def test_what_a_library_logs_has_the_same_form() -> None:
    record = logging.LogRecord("celery", logging.ERROR, __file__, 1, "Lost %s", ("broker",), None)
    assert json.loads(logs.formatter("json").format(record))["event"] == "Lost broker"


def test_what_django_logs_after_an_answer_has_the_id_of_its_request(rf: RequestFactory) -> None:
    def answer(request: HttpRequest) -> HttpResponse:
        return HttpResponse(status=503)

    request = rf.get("/sign-in/link/secret")
    response = RequestId(answer)(request)
    assert isinstance(response, HttpResponse)
    record = logging.LogRecord("django.request", logging.ERROR, __file__, 1, "Service Unavailable", (), None)
    record.request = request
    found = json.loads(logs.formatter("json").format(record))
    assert (found["request"], found["path"]) == (response.headers[HEADER], "/sign-in/link/...")
