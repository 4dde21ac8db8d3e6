"""REST calls of the audit log of a project, for its managers."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router

from webapp.accounts.api import signed_in
from webapp.audit.entries import CSV_HEADER, csv_rows, entries
from webapp.audit.schemas import AuditPage, AuditQuery, page
from webapp.csv_answer import csv_answer
from webapp.projects.access import require
from webapp.projects.models import Role
from webapp.rest import ErrorAnswer, binary_answer

router = Router(tags=["audit"])


@router.get("/projects/{int:project_id}/audit", response={200: AuditPage, (403, 404): ErrorAnswer})
def list_project_audit(request: HttpRequest, project_id: int, query: Query[AuditQuery]) -> AuditPage:
    """Return what was done in a project, newest first."""
    require(signed_in(request), project_id, Role.MANAGER)
    return page(entries(query.wanted, project_id=project_id), query.limit)


@router.get(
    "/projects/{int:project_id}/audit.csv",
    response={(403, 404): ErrorAnswer},
    openapi_extra=binary_answer("text/csv"),
)
def get_project_audit_csv(request: HttpRequest, project_id: int, query: Query[AuditQuery]) -> HttpResponse:
    """Return what was done in a project as a CSV file: the newest 100,000 of the wanted entries."""
    require(signed_in(request), project_id, Role.MANAGER)
    found = entries(query.wanted, project_id=project_id)
    return csv_answer(f"audit-{project_id}.csv", CSV_HEADER, csv_rows(found))
