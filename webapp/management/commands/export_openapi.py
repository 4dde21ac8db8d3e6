"""`manage.py export_openapi`: the OpenAPI schema of the REST calls, from which the page's types are generated."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand

from webapp.api import api


class Command(BaseCommand):
    help = "Print the OpenAPI schema of the REST calls as JSON, in a stable order."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(json.dumps(api.get_openapi_schema(), indent=2, sort_keys=True))
