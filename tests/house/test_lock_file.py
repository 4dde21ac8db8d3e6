"""frontend/package-lock.json holds every platform's packages, or `npm ci` refuses it (npm forgets those of others)."""

import json
from pathlib import Path

from django.conf import settings


def test_every_optional_package_is_locked() -> None:
    lock = json.loads((Path(settings.BASE_DIR) / "frontend" / "package-lock.json").read_text())
    packages = lock["packages"]
    missing = [
        f"{wanted} for {name}"
        for name, entry in packages.items()
        for wanted in entry.get("optionalDependencies", {})
        if f"node_modules/{wanted}" not in packages and f"{name}/node_modules/{wanted}" not in packages
    ]
    assert missing == []
