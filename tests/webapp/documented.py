"""Check that the OpenAPI schema documents a response: its status, its media type and, for an error, its fields."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from django.urls import Resolver404
from pydantic import ConfigDict

from webapp.api import api
from webapp.jobs.schemas import JobInfo
from webapp.projects.api import LabelInUse
from webapp.rest import UploadError


class AnyError(UploadError):
    """All fields that the JSON of an error may have. Other fields are an error in the test."""

    model_config = ConfigDict(extra="forbid")
    job: JobInfo | None = None
    head: int | None = None
    in_use: list[LabelInUse] | None = None
    changed: int | None = None


@cache
def paths() -> dict[str, Any]:
    return dict(api.get_openapi_schema()["paths"])


def check_documented(method: str, response: Any) -> None:
    """Assert that the OpenAPI schema documents a response to a REST call.

    Other responses pass, and so do faults of the server, such as the status 500.
    """
    path = _path_of(response)
    call = paths().get(path, {}).get(method.lower())
    if call is None or (response.status_code >= 500 and response.status_code not in (503, 507)):
        return
    where = f"{method} {path} answered {response.status_code}"
    assert response.status_code in call["responses"], f"{where}, which its schema does not document"
    content = call["responses"][response.status_code].get("content", {})
    media_type = response.headers.get("Content-Type", "").split(";")[0]
    if response.status_code not in (204, 302, 304):  # These have no body.
        assert media_type in content or "*/*" in content, f"{where} with {media_type}; documented: {list(content)}"
    if response.status_code >= 400:
        AnyError.model_validate(response.json())


def _path_of(response: Any) -> str:
    """Return the path of the request as in the schema, such as /api/videos/{video_id}, or "" if no URL pattern fits."""
    try:
        route = response.resolver_match.route
    except Resolver404:
        return ""
    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route)
