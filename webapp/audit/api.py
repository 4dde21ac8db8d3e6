"""REST calls of the audit log of the whole site, for superusers. That of a project is in projects/audit_api.py."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router

from webapp.accounts.api import signed_in
from webapp.audit.entries import CSV_HEADER, csv_rows, entries
from webapp.audit.schemas import AuditPage, AuditQuery, page
from webapp.csv_answer import csv_answer
from webapp.problems import Forbidden
from webapp.rest import ErrorAnswer, binary_answer

router = Router(tags=["audit"])


@router.get("/audit", response={200: AuditPage, 403: ErrorAnswer})
def list_audit(request: HttpRequest, query: Query[AuditQuery]) -> AuditPage:
    """Return what was done on the whole site, newest first. Only administrators may read it."""
    _check_superuser(request)
    return page(entries(query.wanted), query.limit)


@router.get("/audit.csv", response={403: ErrorAnswer}, openapi_extra=binary_answer("text/csv"))
def get_audit_csv(request: HttpRequest, query: Query[AuditQuery]) -> HttpResponse:
    """Return what was done on the whole site as a CSV file: the newest 100,000 of the wanted entries."""
    _check_superuser(request)
    return csv_answer("audit.csv", CSV_HEADER, csv_rows(entries(query.wanted)))


def _check_superuser(request: HttpRequest) -> None:
    user = signed_in(request)
    if not user.is_superuser or user.token_projects is not None:
        raise Forbidden("Only administrators may read what was done on the whole site.")
