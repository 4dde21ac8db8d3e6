"""The class of the REST API, which checks requests, carries out the headers Idempotency-Key and If-Match and writes the
OpenAPI schema, and what calls use to declare their bodies and answers.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.cache import set_response_etag
from ninja import NinjaAPI, Schema
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation
from ninja.params.models import QueryModel
from ninja.parser import Parser
from ninja.types import DictStrAny
from pydantic import ConfigDict

from webapp.problems import Problem
from webapp.repetition.keeping import HEADER, once
from webapp.storable import refusal_of

JSON = "application/json"
WRITES = ("post", "put", "patch", "delete")


Run = Callable[..., HttpResponseBase]
Call = Callable[[], HttpResponseBase]


def _header(name: str, description: str) -> DictStrAny:
    schema = {"type": "string", "maxLength": 200, "pattern": r"^[\x21-\x7e]+$"}
    return {"in": "header", "name": name, "required": False, "description": description, "schema": schema}


# Headers that are documented for each call that takes them, with the errors that they may lead to.
IDEMPOTENCY_KEY = _header(HEADER, "Sent again with the same key within 24 hours, the call takes effect once.")
KEY_ERRORS = {400: f"The header {HEADER} has a wrong form.", 409: f"A call with the same {HEADER} is running."}
IF_MATCH = _header("If-Match", "The ETag of what is to be changed. If it has another one by now, nothing is done.")
TAG_ERRORS = {412: "Somebody has changed it since; load it again."}
LINK: DictStrAny = {
    "description": 'If there are more rows: `<?...>; rel="next"`, the next page, relative to the address of this one.',
    "schema": {"type": "string"},
}
IF_NONE_MATCH = _header("If-None-Match", "The ETag of the answer that the client has; if it is the newest, 304.")


class Strict(Schema):
    """The base class of request bodies. A body with an unknown field is refused with an error that names the field."""

    model_config = ConfigDict(extra="forbid")


class ErrorAnswer(Schema):
    """The JSON body of every answer of the REST API with a status of 400 or above, which may have further fields."""

    code: str  # stable, for programs
    text: str  # a sentence for the user
    field: str | None = None  # the part of the request that is wrong, if it is a single one


class UploadError(ErrorAnswer):
    """An error of an upload. If `received` is there, the upload can continue at this offset."""

    received: int | None = None


def binary_answer(*media_types: str) -> dict[str, Any]:
    """Return the `openapi_extra` of a call that answers bytes of one of `media_types`."""
    return {"responses": {200: {"description": "OK", "content": _bytes(media_types)}}}


NOT_MODIFIED: dict[Any, Any] = {304: {"description": "The client has the newest answer already (ETag)."}}


def tagged_answer(*media_types: str) -> dict[str, Any]:
    """Return the `openapi_extra` of a call that answers bytes, or 304 to a client that has the newest ones already."""
    return {"responses": {**binary_answer(*media_types)["responses"], **NOT_MODIFIED}}


IN_BUCKET = {302: {"description": "Where the file is, on a site that lets clients get files from its bucket."}}


def stored_answer(*media_types: str) -> dict[str, Any]:
    """Return the `openapi_extra` of a call that answers a stored file as bytes, or its address in a bucket."""
    return {"responses": {**binary_answer(*media_types)["responses"], **IN_BUCKET}}


def resumable_answer(*media_types: str) -> dict[str, Any]:
    """Return the `openapi_extra` of a call that answers a stored file, a part of it, or its address in a bucket."""
    content = _bytes(media_types)
    return {
        "responses": {
            **stored_answer(*media_types)["responses"],
            206: {"description": "The file from the byte that the header Range names.", "content": content},
        }
    }


def binary_body(media_type: str) -> dict[str, Any]:
    """Return the `openapi_extra` of a call whose request body is bytes."""
    return {"requestBody": {"required": True, "content": _bytes((media_type,))}}


def _bytes(media_types: tuple[str, ...]) -> dict[str, Any]:
    return {media_type: {"schema": {"type": "string", "format": "binary"}} for media_type in media_types}


class BodyParser(Parser):
    """Parses the JSON of a request's body. Raises Problem for texts and numbers that no column of the database can
    hold.
    """

    def parse_body(self, request: HttpRequest) -> DictStrAny:
        body = super().parse_body(request)
        refusal = refusal_of(body)
        if refusal is not None:
            raise Problem("invalid", refusal)
        return body


class RestApi(NinjaAPI):
    """A django-ninja API with a complete schema. Operation ids are the names of the functions.

    A call declares the errors that its own code raises; the schema adds those that any call may answer.
    """

    def seal(
        self,
        refusal: Callable[[HttpRequest], Problem | None],
        secret: Collection[str] = (),
        examples: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        """Wrap every call, once all routers were added: it refuses query parameters that it does not know, answers a
        wrong method with JSON, and takes the headers Idempotency-Key and If-Match.

        `refusal` says why somebody may not make a call although they are signed in. `secret` are the operation ids of
        calls whose bodies or answers have a secret. They take no Idempotency-Key, because nothing of them is kept.
        `examples` are bodies by operation id, for the schema.
        """
        self._examples = examples
        self._refusal = refusal
        self._secret = frozenset(secret)
        for router in self._get_bound_routers():
            for view in router.path_operations.values():
                methods = sorted({method for operation in view.operations for method in operation.methods})
                view._not_allowed = partial(_wrong_method, methods)  # type: ignore[method-assign]
                reading = next((operation.run for operation in view.operations if "GET" in operation.methods), None)
                for operation in view.operations:
                    assert not operation.is_async
                    check = partial(self._checked, operation._run_checks, _query_names(operation))
                    operation._run_checks = check  # type: ignore[method-assign]
                    operation.run = partial(self._run, operation, operation.run, reading)  # type: ignore[method-assign]

    def _run(
        self, operation: Operation, run: Run, reading: Run | None, request: HttpRequest, **values: Any
    ) -> HttpResponseBase:
        """Run a call, and do what its headers Idempotency-Key and If-Match ask for."""
        call = partial(run, request, **values)
        try:
            if request.method == "POST" and HEADER in request.headers:
                return self._run_once(call, operation, request)
            if request.method in ("PATCH", "DELETE") and "If-Match" in request.headers and reading is not None:
                return _run_if_unchanged(call, partial(reading, request, **values), request)
        except Problem as problem:
            return self.on_exception(request, problem)
        return call()

    def _run_once(self, call: Call, operation: Operation, request: HttpRequest) -> HttpResponseBase:
        refused = operation._run_checks(request)
        if refused is not None:
            return refused
        if not request.user.is_authenticated:  # Signing in takes no key.
            return call()
        if operation.view_func.__name__ in self._secret:
            text = f"The body or the answer of this call has a secret, which is not kept, so it takes no {HEADER}."
            raise Problem("key_not_taken", text, 400, field=HEADER)
        return once(request, call)  # type: ignore[arg-type]

    def _checked(
        self, check: Callable[[HttpRequest], HttpResponse | None], known: set[str], request: HttpRequest
    ) -> HttpResponse | None:
        """Return an error for a request that may not be made or has an unknown query parameter, otherwise None."""
        refused = check(request)
        problem = self._refusal(request) if refused is None else None
        if problem is not None:
            return self.create_response(request, {"code": problem.code, "text": problem.text}, status=problem.status)
        unknown = sorted(set(request.GET) - known)
        texts = [request.path, *request.GET, *(text for _, given in request.GET.lists() for text in given)]
        if refused is None and (unstorable := refusal_of(texts)):
            return self.create_response(request, {"code": "invalid", "text": unstorable}, status=422)
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
                takes_key = method == "post" and "security" in call and call["operationId"] not in self._secret
                takes_tag = method in ("patch", "delete") and "get" in calls
                call["parameters"] += [IDEMPOTENCY_KEY] * takes_key + [IF_MATCH] * takes_tag
                errors = _common_errors(method, call)
                errors |= KEY_ERRORS if takes_key else TAG_ERRORS if takes_tag else {}
                for status, description in errors.items():
                    call["responses"].setdefault(status, _error(description))
                _document_pages(call)
                if method == "get" and "application/json" in call["responses"].get(200, {}).get("content", {}):
                    call["parameters"].append(IF_NONE_MATCH)
                    call["responses"] |= NOT_MODIFIED
                call["responses"] = dict(sorted(call["responses"].items()))
                if call["operationId"] in self._examples:
                    call["requestBody"]["content"][JSON]["example"] = self._examples[call["operationId"]]
        schema["components"]["schemas"]["ErrorAnswer"] = ErrorAnswer.model_json_schema()
        return schema


def _run_if_unchanged(call: Call, read: Call, request: HttpRequest) -> HttpResponseBase:
    """Make a call if what it changes still has an ETag of the header If-Match. Raises Problem "changed_meanwhile".

    Two such calls of one address are made one after the other.
    """
    with transaction.atomic():
        if connection.vendor == "postgresql":  # SQLite has only one writing transaction at a time.
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [request.path_info])
        stored = read()
        if stored.status_code == 200 and not _fits(request.headers["If-Match"], _tag_of(stored)):  # type: ignore[arg-type]
            text = "Somebody has changed this since you loaded it. Load it again, then make your change."
            raise Problem("changed_meanwhile", text, 412, field="If-Match")
        answer = call()
        if answer.status_code >= 400:
            transaction.set_rollback(True)
    return answer


def _tag_of(answer: HttpResponse) -> str:
    """Return the ETag that the answer of a GET call gets."""
    return str(set_response_etag(answer)["ETag"])


def _fits(if_match: str, tag: str) -> bool:
    """Return whether the header If-Match names the ETag of what is stored."""
    given = [part.strip() for part in if_match.split(",")]
    return "*" in given or tag in given


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


def _document_pages(call: DictStrAny) -> None:
    """Add the header `Link` to the documented answer of a list that comes in pages."""
    content = call["responses"].get(200, {}).get("content", {}).get(JSON, {})
    in_pages = any(parameter["name"] == "limit" for parameter in call["parameters"])
    if in_pages and content.get("schema", {}).get("type") == "array":
        call["responses"][200]["headers"] = {"Link": LINK}


def _error(description: str) -> DictStrAny:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorAnswer"}}}
    return {"description": description, "content": content}
