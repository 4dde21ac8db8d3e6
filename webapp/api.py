"""The HTTP interface: one router for each part, one place where errors become answers."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, ValidationError
from ninja.security import django_auth

from webapp.accounts.api import router as accounts
from webapp.annotation.api import router as annotation
from webapp.inference.api import router as inference
from webapp.problems import Problem
from webapp.projects.api import router as projects
from webapp.videos.api import router as videos

api = NinjaAPI(title="Maskwright", version="1", auth=django_auth, docs_url="docs")
for part in (accounts, projects, videos, annotation, inference):
    api.add_router("", part)


@api.exception_handler(Problem)
def answer_problem(request: HttpRequest, problem: Problem) -> HttpResponse:
    return api.create_response(
        request, {"code": problem.code, "text": problem.text, **problem.extra}, status=problem.status
    )


@api.exception_handler(AuthenticationError)
def answer_signed_out(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    return api.create_response(request, {"code": "signed_out", "text": "Sign in first."}, status=401)


@api.exception_handler(ValidationError)
def answer_invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    first = error.errors[0]
    where = ".".join(str(part) for part in first["loc"][1:])
    return api.create_response(request, {"code": "invalid", "text": f"{where}: {first['msg']}"}, status=422)
