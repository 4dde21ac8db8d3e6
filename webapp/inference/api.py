"""REST calls of inference: the list of engines."""

from __future__ import annotations

from django.http import HttpRequest
from ninja import Router, Schema

from webapp.inference import runner

router = Router(tags=["engines"])


class EngineAnswer(Schema):
    name: str
    title: str
    good_at: str
    needs_weights: bool
    ready: bool
    weights: str
    size_bytes: int
    shipped: bool
    published: bool
    default: bool
    hint: str


@router.get("/engines", response=list[EngineAnswer])
def list_engines(request: HttpRequest) -> list[runner.EngineInfo]:
    """Return every engine: what it is good at, and whether its weights are there or what is missing."""
    return runner.engines()
