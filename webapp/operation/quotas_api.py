"""REST calls of quotas: administrators set them, and everybody sees their own and those of their projects."""

from __future__ import annotations

from typing import Annotated

from django.http import HttpRequest
from ninja import Router
from pydantic import Field

from webapp.accounts.api import signed_in
from webapp.operation import quotas
from webapp.operation.api import administrator
from webapp.operation.quotas import Quotas, QuotaTarget
from webapp.projects.access import project_for
from webapp.projects.models import Role
from webapp.quotas.limits import Limits, QuotaUse
from webapp.quotas.models import MOST
from webapp.rest import ErrorAnswer, Strict

router = Router(tags=["operation"])
SearchText = Annotated[str, Field(max_length=120)]
Limit = Annotated[int, Field(ge=0, le=MOST)]


class LimitsBody(Strict):
    """The limits to set. A limit that is null or left out limits nothing."""

    frames: Limit | None = None
    bytes: Limit | None = None
    engine_seconds: Limit | None = None

    def limits(self) -> Limits:
        return Limits(self.frames, self.bytes, self.engine_seconds)


@router.get("/quotas", response={200: Quotas, 403: ErrorAnswer})
def list_quotas(request: HttpRequest) -> Quotas:
    """Return the quotas of the site. Only administrators may read them all."""
    administrator(request)
    return quotas.all_quotas()


@router.get("/quotas/{scope}/targets", response={200: list[QuotaTarget], (403, 404): ErrorAnswer})
def list_quota_targets(request: HttpRequest, scope: str, text: SearchText = "") -> list[QuotaTarget]:
    """Return projects or people whose name contains `text`, so that an administrator can give one a quota."""
    administrator(request)
    return quotas.find_targets(scope, text.strip())


@router.put("/quotas/{scope}", response={200: Quotas, (403, 404): ErrorAnswer})
def set_quota_for_each(request: HttpRequest, scope: str, body: LimitsBody) -> Quotas:
    """Set the limits of each project or each person that has none of its own. `scope` is project or person."""
    quotas.change(scope, None, body.limits(), administrator(request))
    return quotas.all_quotas()


@router.put("/quotas/{scope}/{int:target_id}", response={200: Quotas, (403, 404): ErrorAnswer})
def set_quota(request: HttpRequest, scope: str, target_id: int, body: LimitsBody) -> Quotas:
    """Set the limits of one project or person. They replace those that hold for each project or each person."""
    quotas.change(scope, target_id, body.limits(), administrator(request))
    return quotas.all_quotas()


@router.delete("/quotas/{scope}/{int:target_id}", response={200: Quotas, (403, 404): ErrorAnswer})
def drop_quota(request: HttpRequest, scope: str, target_id: int) -> Quotas:
    """Remove the own limits of one project or person. The limits for all projects or people then apply again."""
    quotas.change(scope, target_id, None, administrator(request))
    return quotas.all_quotas()


@router.get("/projects/{int:project_id}/quota", response={200: QuotaUse, 404: ErrorAnswer})
def project_quota(request: HttpRequest, project_id: int) -> QuotaUse:
    """Return what a project uses of its quota."""
    return quotas.use_of(project_for(signed_in(request), project_id, Role.VIEWER))


@router.get("/me/quota", response=QuotaUse)
def own_quota(request: HttpRequest) -> QuotaUse:
    """Return what the caller uses of their quota."""
    return quotas.use_of(signed_in(request))
