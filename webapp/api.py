"""The REST API: the routers of all parts, and the handlers that turn errors into answers."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.http.request import RawPostDataException
from django.middleware.csrf import get_token
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.security import django_auth

from webapp.accounts.api import router as accounts
from webapp.accounts.second_factor import refusal
from webapp.accounts.second_factor_api import router as second_factor
from webapp.accounts.sessions_api import router as sessions
from webapp.accounts.token_api import router as tokens
from webapp.accounts.tokens import BearerToken, why_signed_out
from webapp.annotation.api import router as annotation
from webapp.annotation.export.api import router as exports
from webapp.annotation.imports.api import router as mask_imports
from webapp.annotation.pin_api import router as pins
from webapp.api_examples import EXAMPLES
from webapp.audit.api import router as audit
from webapp.inference.api import router as inference
from webapp.jobs.api import router as jobs
from webapp.jobs.export_api import router as job_exports
from webapp.live.api import router as live
from webapp.live.client_messages import outside_of_picture
from webapp.notifications.api import router as notifications
from webapp.operation.api import router as operation
from webapp.operation.quotas_api import router as quotas
from webapp.overview.api import router as overview
from webapp.overview.trash_api import router as trash
from webapp.overview.views_api import router as views
from webapp.problems import Problem
from webapp.projects.api import router as projects
from webapp.projects.audit_api import router as project_audit
from webapp.projects.invitation_api import router as invitations
from webapp.projects.team_api import router as teams
from webapp.quality.api import router as quality
from webapp.rest import BodyParser, RestApi
from webapp.videos.api import router as videos
from webapp.videos.fetch_api import router as fetches
from webapp.webhooks.api import router as webhooks

api = RestApi(
    title="Maskwright",
    version="1",
    auth=[BearerToken(), django_auth],
    docs_url="docs",
    docs_decorator=login_required,
    parser=BodyParser(),
)
PARTS = (
    accounts,
    tokens,
    sessions,
    second_factor,
    audit,
    notifications,
    projects,
    project_audit,
    invitations,
    teams,
    videos,
    annotation,
    pins,
    live,
    jobs,
    job_exports,
    quality,
    exports,
    overview,
    trash,
    views,
    mask_imports,
    inference,
    operation,
    webhooks,
    fetches,
    quotas,
)
# The answers or the bodies of these calls have a secret, so nothing of them is kept for an Idempotency-Key.
SECRET_ANSWERS = (
    "sign_in",
    "create_token",
    "add_webhook",
    "make_invitation",
    "invite_from_csv",
    "begin_second_factor",
    "confirm_second_factor",
    "renew_recovery_codes",
    "turn_second_factor_off",
)
for part in PARTS:
    api.add_router("", part)
api.seal(refusal, secret=SECRET_ANSWERS, examples=EXAMPLES)


@api.exception_handler(Problem)
def answer_problem(request: HttpRequest, problem: Problem) -> HttpResponse:
    answer = api.create_response(
        request, {"code": problem.code, "text": problem.text, **problem.extra}, status=problem.status
    )
    if problem.retry_after is not None:
        answer["Retry-After"] = str(problem.retry_after)
    return answer


@api.exception_handler(AuthenticationError)
def answer_signed_out(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    get_token(request)  # sets the cookie whose value the sign-in call must send in a header
    return api.create_response(request, {"code": "signed_out", "text": why_signed_out(request)}, status=401)


@api.exception_handler(HttpError)
def answer_http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    """Answer an error that django-ninja raises: a missing CSRF token (403) or a body that is no JSON (400)."""
    if isinstance(error.__cause__, Problem):  # The parser of bodies raised it.
        return answer_problem(request, error.__cause__)
    code, text = {
        403: ("forbidden", "This page is out of date. Reload it and try again."),
        400: ("invalid", "The request's body cannot be read as JSON."),
    }.get(error.status_code, ("failed", str(error)))
    return api.create_response(request, {"code": code, "text": text}, status=error.status_code)


@api.exception_handler(RawPostDataException)
def answer_form(request: HttpRequest, error: RawPostDataException) -> HttpResponse:
    """Answer 400 to a body that is a form. Django's CSRF check has read the body, so the call cannot read it again."""
    text = "This call takes JSON. Send the body with the content type application/json."
    return api.create_response(request, {"code": "invalid", "text": text}, status=400)


@api.exception_handler(ValidationError)
def answer_invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    first = error.errors[0]
    where = ".".join(str(part) for part in first["loc"][1:])
    said = "There is no such field." if first["type"] == "extra_forbidden" else first["msg"]
    text = outside_of_picture(first["loc"], first["type"]) or f"{where}: {said}"
    answer = {"code": "invalid", "text": text, "field": where}
    return api.create_response(request, answer, status=422)
