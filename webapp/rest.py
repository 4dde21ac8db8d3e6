"""What REST calls use to declare their answers: the type of errors, binary bodies, and the OpenAPI schema."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import NinjaAPI, Schema
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation
from ninja.params.models import QueryModel
from ninja.parser import Parser
from ninja.types import DictStrAny
from pydantic import ConfigDict

from webapp.problems import Problem
from webapp.text_limit import REFUSAL, contains_nul

WRITES = ("post", "put", "patch", "delete")


class Strict(Schema):
    """The base of bodies of which an unknown field is refused, with its name."""

    model_config = ConfigDict(extra="forbid")


class ErrorAnswer(Schema):
    """The JSON body of every answer with a status of 400 or above."""

    code: str  # stable, for programs
    text: str  # a sentence for the user
    field: str | None = None  # the part of the request that is wrong, if it is a single one


class UploadError(ErrorAnswer):
    """An error of an upload. If `received` is there, the upload can continue at this offset."""

    received: int | None = None


def binary_answer(*media_types: str) -> dict[str, Any]:
    """Return the `openapi_extra` of a call that answers bytes of one of `media_types`."""
    return {"responses": {200: {"description": "OK", "content": _bytes(media_types)}}}


def resumable_answer(*media_types: str) -> dict[str, Any]:
    """As `binary_answer`, for a call that can also answer the rest of a file."""
    content = _bytes(media_types)
    return {
        "responses": {
            200: {"description": "OK", "content": content},
            206: {"description": "The file from the byte that the header Range names.", "content": content},
        }
    }


def binary_body(media_type: str) -> dict[str, Any]:
    """Return the `openapi_extra` of a call whose request body is bytes."""
    return {"requestBody": {"required": True, "content": _bytes((media_type,))}}


def _bytes(media_types: tuple[str, ...]) -> dict[str, Any]:
    return {media_type: {"schema": {"type": "string", "format": "binary"}} for media_type in media_types}


class BodyParser(Parser):
    """Parses the JSON of a request's body. Raises Problem for a text that no column can hold."""

    def parse_body(self, request: HttpRequest) -> DictStrAny:
        body = super().parse_body(request)
        if contains_nul(body):
            raise Problem("invalid", REFUSAL)
        return body


class RestApi(NinjaAPI):
    """A django-ninja API with a complete schema. Operation ids are the names of the functions.

    A call declares the errors that its own code raises; the schema adds those that any call may answer.
    """

    def seal(self, refusal: Callable[[HttpRequest], Problem | None]) -> None:
        """Let every call refuse query parameters that it does not know, and answer a wrong method with JSON.

        `refusal` says why somebody may not make a call although they are signed in. This method is called once, after
        all routers were added.
        """
        self._refusal = refusal
        for router in self._get_bound_routers():
            for view in router.path_operations.values():
                methods = sorted({method for operation in view.operations for method in operation.methods})
                view._not_allowed = partial(_wrong_method, methods)  # type: ignore[method-assign]
                for operation in view.operations:
                    assert not operation.is_async
                    check = partial(self._checked, operation._run_checks, _query_names(operation))
                    operation._run_checks = check  # type: ignore[method-assign]

    def _checked(
        self, check: Callable[[HttpRequest], HttpResponse | None], known: set[str], request: HttpRequest
    ) -> HttpResponse | None:
        """Return an error for a request that may not be made or has an unknown query parameter, otherwise None."""
        refused = check(request)
        problem = self._refusal(request) if refused is None else None
        if problem is not None:
            return self.create_response(request, {"code": problem.code, "text": problem.text}, status=problem.status)
        unknown = sorted(set(request.GET) - known)
        if refused is not None or not unknown:
            return refused
        has = f"It has {', '.join(sorted(known))}." if known else "It has none."
        text = f"This call has no parameter {unknown[0][:60]!r}. {has}"
        return self.create_response(request, {"code": "invalid", "text": text, "field": unknown[0]}, status=422)

    def get_openapi_operation_id(self, operation: Operation) -> str:
        return operation.view_func.__name__

    def get_openapi_schema(
        self, *, path_prefix: str | None = None, path_params: DictStrAny | None = None
    ) -> OpenAPISchema:
        schema = super().get_openapi_schema(path_prefix=path_prefix, path_params=path_params)
        for calls in schema["paths"].values():
            for method, call in calls.items():
                for status, description in _common_errors(method, call).items():
                    call["responses"].setdefault(status, _error(description))
                call["responses"] = dict(sorted(call["responses"].items()))
        schema["components"]["schemas"]["ErrorAnswer"] = ErrorAnswer.model_json_schema()
        return schema


def _query_names(operation: Operation) -> set[str]:
    """Return the names of the query parameters of a call."""
    models = [model for model in operation.models if issubclass(model, QueryModel)]
    return {name for model in models for name in model.__ninja_flatten_map__}


def _wrong_method(methods: list[str]) -> HttpResponse:
    text = f"This address knows {', '.join(methods)}."
    answer = {"code": "method_not_allowed", "text": text}
    return JsonResponse(answer, status=405, headers={"Allow": ", ".join(methods)})


def _common_errors(method: str, call: DictStrAny) -> dict[int, str]:
    """Return the status and description of the errors that are answered before the code of a call runs."""
    errors = {503: "The database is busy or away; `Retry-After` says in how many seconds to try again."}
    if call.get("security"):
        errors[401] = "Nobody is signed in."
        errors[403] = "The site demands a second factor that was not set up yet, or the role does not suffice."
    if method in WRITES:
        errors[403] = "The CSRF token is missing or wrong, or the role does not suffice."
    if "requestBody" in call:
        errors |= {400: "The body cannot be read.", 408: "The body came too slowly.", 413: "The body is too large."}
    errors[422] = "A parameter or a field of the body is unknown or has a wrong form; `field` names it."
    return errors


def _error(description: str) -> DictStrAny:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorAnswer"}}}
    return {"description": description, "content": content}
