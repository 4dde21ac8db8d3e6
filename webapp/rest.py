"""What REST calls use to declare their answers: the type of errors, binary bodies, and the OpenAPI schema."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import NinjaAPI, Schema
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation
from ninja.parser import Parser
from ninja.types import DictStrAny

from webapp.problems import Problem
from webapp.text_limit import REFUSAL, contains_nul

WRITES = ("post", "put", "patch", "delete")


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


def _common_errors(method: str, call: DictStrAny) -> dict[int, str]:
    """Return the status and description of the errors that are answered before the code of a call runs."""
    errors = {503: "The database is busy or away; `Retry-After` says in how many seconds to try again."}
    if call.get("security"):
        errors[401] = "Nobody is signed in."
    if method in WRITES:
        errors[403] = "The CSRF token is missing or wrong, or the role does not suffice."
    if "requestBody" in call:
        errors |= {400: "The body cannot be read.", 408: "The body came too slowly.", 413: "The body is too large."}
    if "requestBody" in call or any(parameter["in"] != "path" for parameter in call["parameters"]):
        errors[422] = "A parameter or a field of the body has a wrong form; `field` names it."
    return errors


def _error(description: str) -> DictStrAny:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorAnswer"}}}
    return {"description": description, "content": content}
