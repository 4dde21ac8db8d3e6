"""Tests of what the OpenAPI schema, from which the page's types are generated, says of each REST call.

Further tests are of what all calls have in common, such as how they refuse unknown parameters.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from enum import Enum
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client, RequestFactory
from pydantic import BaseModel

from webapp.accounts.models import User
from webapp.api import api
from webapp.http.page import server_error
from webapp.projects.models import Project
from webapp.rest import ErrorAnswer

JSON = "application/json"
SCHEMA = api.get_openapi_schema()
CALLS = [(f"{method} {path}", call) for path, calls in SCHEMA["paths"].items() for method, call in calls.items()]
each_call = pytest.mark.parametrize("call", [call for _, call in CALLS], ids=[name for name, _ in CALLS])


@each_call
def test_it_has_a_plain_operation_id_and_a_tag(call: dict[str, Any]) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)+", call["operationId"])
    assert len(call["tags"]) == 1


def test_no_two_calls_share_an_operation_id() -> None:
    ids = [call["operationId"] for _, call in CALLS]
    assert sorted(set(ids)) == sorted(ids)


@each_call
def test_it_documents_the_body_of_its_answer(call: dict[str, Any]) -> None:
    # 206 has a part of the body of 200.
    good = {status: answer for status, answer in call["responses"].items() if status < 300 and status != 206}
    assert len(good) == 1
    for status, answer in good.items():
        assert status == 204 or answer["content"]


@each_call
def test_it_documents_its_errors(call: dict[str, Any]) -> None:
    errors = {status: answer for status, answer in call["responses"].items() if status >= 400}
    assert errors
    for answer in errors.values():
        (schema,) = (content["schema"]["$ref"] for content in answer["content"].values())
        fields = SCHEMA["components"]["schemas"][schema.removeprefix("#/components/schemas/")]["properties"]
        assert {"code", "text", "field"} <= fields.keys()
        assert answer["description"]


@pytest.mark.parametrize("name", [name for name, call in CALLS if name.split()[1].count("{")])
def test_a_call_about_one_thing_documents_that_it_may_not_exist(name: str) -> None:
    assert 404 in dict(CALLS)[name]["responses"]


@each_call
def test_it_documents_that_signing_in_is_needed(call: dict[str, Any]) -> None:
    assert (401 in call["responses"]) == ("security" in call)


def test_no_two_types_share_a_name_in_the_schema() -> None:
    """If two types had one name, django-ninja would document only one of them, and would document calls with the other
    type wrongly.
    """
    found: dict[str, set[type]] = {}

    def visit(kind: Any) -> None:
        if isinstance(kind, type) and issubclass(kind, Enum):
            found.setdefault(kind.__name__, set()).add(kind)
        if isinstance(kind, type) and issubclass(kind, BaseModel) and kind not in found.get(kind.__name__, ()):
            found.setdefault(kind.__name__, set()).add(kind)
            for field in kind.model_fields.values():
                visit(field.annotation)
        for part in getattr(kind, "__args__", ()):
            visit(part)

    for router in api._get_bound_routers():
        for view in router.path_operations.values():
            for operation in view.operations:
                for model in [*operation.models, *operation.response_models.values()]:
                    for field in getattr(model, "model_fields", {}).values():
                        visit(field.annotation)
    assert {"State", "MemberInfo", "ErrorAnswer"} <= set(found)
    assert {name: kinds for name, kinds in found.items() if len(kinds) > 1} == {}


def test_every_reference_in_the_schema_leads_somewhere() -> None:
    text = json.dumps(SCHEMA)
    assert set(re.findall(r'"#/components/schemas/(\w+)"', text)) <= set(SCHEMA["components"]["schemas"])


@pytest.mark.parametrize(
    "content_type", ["multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "text/plain"]
)
@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/api/sign-in"), ("POST", "/api/projects"), ("PATCH", "/api/me")]
)
def test_a_body_that_is_a_form_is_refused_with_a_sentence(
    client_as: Callable[[User | None], Client], owner: User, method: str, path: str, content_type: str
) -> None:
    """Calls take JSON. For a form, Django's CSRF check reads the body first, so the view could not read it."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    client.get("/api/me")
    body = '--x\r\nContent-Disposition: form-data; name="name"\r\n\r\nReef\r\n--x--\r\n'
    token = {"X-CSRFToken": client.cookies["csrftoken"].value}
    answer = client.generic(method, path, body, content_type, headers=token)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")


def test_the_command_prints_the_schema_in_a_stable_order() -> None:
    first, second = StringIO(), StringIO()
    call_command("export_openapi", stdout=first)
    call_command("export_openapi", stdout=second)
    assert first.getvalue() == second.getvalue()
    printed = json.loads(first.getvalue())
    assert list(printed["paths"]) == sorted(SCHEMA["paths"])
    assert printed["components"]["schemas"]["ErrorAnswer"] == json.loads(json.dumps(ErrorAnswer.model_json_schema()))


def test_an_unknown_parameter_or_field_is_refused_with_its_name(
    client_as: Callable[[User | None], Client], owner: User, project: Project
) -> None:
    client, exports = client_as(owner), f"/api/projects/{project.pk}/exports"
    for address, field in (("/api/me?page=2", "page"), ("/api/search?q=x&limit=3", "limit")):
        answer = client.get(address)
        assert (answer.status_code, answer.json()["field"]) == (422, field)
    body = {"format": "coco", "options": {"only_accepted": True}}
    answer = client.post(exports, body, content_type="application/json")
    assert (answer.status_code, answer.json()["field"]) == (422, "body.options.only_accepted")
    assert "no such field" in answer.json()["text"]


def test_every_body_refuses_unknown_fields_also_inside_of_it() -> None:
    """A misspelt field would otherwise be ignored, and the call would do less than it was asked to."""
    schemas = SCHEMA["components"]["schemas"]
    waiting = [
        call["requestBody"]["content"].get(JSON, {}).get("schema", {}) for _, call in CALLS if "requestBody" in call
    ]
    found: set[str] = set()
    while waiting:
        for name in re.findall(r"#/components/schemas/(\w+)", json.dumps(waiting.pop())):
            if name not in found:
                found.add(name)
                waiting.append(schemas[name])
    objects = {name for name in found if schemas[name].get("type") == "object"}
    assert len(objects) > 40
    assert {name for name in objects if schemas[name].get("additionalProperties") is not False} == set()


def test_no_answer_with_a_secret_is_kept_for_a_repeated_call() -> None:
    """The answers of calls with Idempotency-Key are in the database for a day, where secrets must not be."""
    with_secrets = 0
    for name, call in CALLS:
        good = json.dumps([answer.get("content") for status, answer in call["responses"].items() if status < 300])
        schemas = [SCHEMA["components"]["schemas"][each] for each in re.findall(r"#/components/schemas/(\w+)", good)]
        fields = {field for schema in schemas for field in schema.get("properties", {})}
        if name.startswith("post") and fields & {"secret", "recovery_codes", "link"}:
            assert "Idempotency-Key" not in {parameter["name"] for parameter in call["parameters"]}, name
            with_secrets += 1
    assert with_secrets > 3


# Lists without pages, and what bounds their length: what the program has, or a limit on the rows that are stored or
# shown.
BOUNDED = {
    "list_engines": "engines of the program",
    "list_export_formats": "formats of the program",
    "list_webhook_events": "events of the program",
    "list_quota_targets": "20 that fit a text",
    "list_webhooks": "20 of a project",
    "list_pins": "2,000 of a video",
    "list_leases": "254 objects of a video",
    "list_trash": "500 of each kind",
    "list_server_files": "1,000 of a folder",
}


def test_every_list_comes_in_pages_or_is_bounded() -> None:
    unbounded = set()
    for _, call in CALLS:
        answer = call["responses"].get(200, {})
        is_list = answer.get("content", {}).get(JSON, {}).get("schema", {}).get("type") == "array"
        in_pages = "Link" in answer.get("headers", {}) and "limit" in {each["name"] for each in call["parameters"]}
        if is_list and not in_pages and "requestBody" not in call:
            unbounded.add(call["operationId"])
    assert unbounded == set(BOUNDED)


def test_a_wrong_method_is_answered_with_json_and_the_right_ones(
    client_as: Callable[[User | None], Client], owner: User
) -> None:
    answer = client_as(owner).put("/api/projects")
    assert (answer.status_code, answer["Allow"]) == (405, "GET, POST")
    assert answer.json() == {"code": "method_not_allowed", "text": "This address knows GET, POST."}


def test_a_fault_of_the_program_is_answered_with_json_below_api(
    client_as: Callable[[User | None], Client], owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(request: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("webapp.accounts.api.get_token", fail)
    client = client_as(owner)
    client.raise_request_exception = False
    answer = client.get("/api/me")
    assert (answer.status_code, answer.json()["code"]) == (500, "failed")
    assert server_error(RequestFactory().get("/projects/1"))["Content-Type"].startswith("text/html")


def test_too_many_tries_say_when_to_try_again(client_as: Callable[[User | None], Client], owner: User) -> None:
    client = client_as(None)
    body = {"username": owner.username, "password": "wrong"}
    answers = [client.post("/api/sign-in", body, content_type="application/json") for _ in range(30)]
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert int(refused["Retry-After"]) > 0
