"""Sends requests that Schemathesis makes from the OpenAPI schema, right ones and wrong ones, to every REST call.

No answer is a 500, and each is what the schema says: its status, its media type and its body. The requests are the same
in each run. MASKWRIGHT_TEST_EXAMPLES sets how many each call gets, and MASKWRIGHT_TEST_SEED, a number, makes others.
"""

from __future__ import annotations

import os
from typing import Any

import pytest
import requests
import schemathesis
from django.test import Client
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.webapp.test_access_matrix import World, shared_world, undone, world
from webapp.accounts.tokens import make_token
from webapp.api import api
from webapp.projects.models import Role

EXAMPLES = int(os.environ.get("MASKWRIGHT_TEST_EXAMPLES", "2"))
SEED = os.environ.get("MASKWRIGHT_TEST_SEED")
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


def with_lists_for_tuples(schema: Any) -> Any:
    """Return a schema in which each element of a tuple may have any of the types of the tuple's elements.

    Schemathesis 4.32 converts `prefixItems` in the schema of an answer to the form of an older JSON Schema, and its own
    check against OpenAPI 3.1 then refuses the result. Pydantic checks the type of each element when the answer is made.
    """
    if isinstance(schema, list):
        return [with_lists_for_tuples(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    parts = {key: with_lists_for_tuples(part) for key, part in schema.items()}
    if "prefixItems" in parts:
        parts["items"] = {"anyOf": parts.pop("prefixItems")}
    return parts


SCHEMA = schemathesis.openapi.from_dict(with_lists_for_tuples(api.get_openapi_schema()))
OPERATIONS: list[Any] = [result.ok() for result in SCHEMA.get_all_operations()]  # type: ignore[union-attr]
FEW = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)

__all__ = ["shared_world", "world"]  # the fixtures


def answer_to(case: schemathesis.Case, client: Client) -> schemathesis.Response:
    """Make the request of a case with Django's client and return the answer in the form that Schemathesis checks."""
    made = requests.Request(**case.as_transport_kwargs(base_url="http://testserver")).prepare()
    path = str(made.url).removeprefix("http://testserver")
    given = {str(name): str(value) for name, value in made.headers.items()}
    headers = {name: value for name, value in given.items() if name not in ("Content-Length", "Authorization")}
    body = made.body.encode() if isinstance(made.body, str) else made.body or b""
    got: Any = client.generic(case.method.upper(), path, body, given.get("Content-Type", ""), headers=headers)
    content = b"".join(got.streaming_content) if got.streaming else got.content
    given_back = {name: [value] for name, value in got.headers.items()}
    return schemathesis.Response(got.status_code, given_back, content, made, elapsed=0.0, verify=False)


def described(error: BaseException) -> str:
    """Return the text of an error, of the errors that it groups, and of those that caused them.

    Where a request fails and, sent again, does not, Hypothesis hides the failure in such a cause.
    """
    inner = [*getattr(error, "exceptions", ()), *filter(None, [error.__cause__])]
    return "\n".join([f"{type(error).__name__}: {error}", *map(described, inner)])


@pytest.mark.timeout(150 * EXAMPLES)  # If the limit ends a request, Hypothesis calls its answers unreliable.
def test_every_call_answers_as_the_schema_says(world: World) -> None:
    owner = world.cast[Role.OWNER]
    _, secret = make_token(by=owner, name="fuzz", projects=None, may_write=True, days=None)
    client = Client(raise_request_exception=False, headers={"Authorization": f"Bearer {secret}"})
    faults: dict[str, str] = {}
    for operation in OPERATIONS:
        for mode in schemathesis.GenerationMode:

            @FEW
            @given(case=operation.as_strategy(generation_mode=mode))
            def send(case: Any) -> None:
                for name in case.path_parameters:
                    if case.path_parameters[name] != 0:
                        case.path_parameters[name] = world.numbers.get(name, 1)
                with undone():
                    answer = answer_to(case, client)
                case.validate_response(answer, checks=CHECKS)

            try:
                (send if SEED is None else seed(int(SEED))(send))()
            except Unsatisfiable:
                pass  # This call takes nothing that could be wrong.
            except (Exception, BaseExceptionGroup) as error:
                faults[f"{operation.label} {mode}"] = described(error)
    assert not faults, "\n\n".join(f"{label}: {text}" for label, text in faults.items())
