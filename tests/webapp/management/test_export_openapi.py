"""Tests that frontend/openapi.json, from which the TypeScript types of the page are generated, is up to date."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

from django.conf import settings
from django.core.management import call_command

STALE = "run: .venv/bin/python manage.py export_openapi > frontend/openapi.json && npm --prefix frontend run types"


def test_the_pages_types_are_those_of_the_rest_calls() -> None:
    out = StringIO()
    call_command("export_openapi", stdout=out)
    assert (Path(settings.BASE_DIR) / "frontend/openapi.json").read_text() == out.getvalue(), STALE
