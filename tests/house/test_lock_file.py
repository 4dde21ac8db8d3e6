"""Tests that the lock files have every required package, also those for other platforms, and no URL of a registry."""

import json
import re
import tomllib
from pathlib import Path

from django.conf import settings
from packaging.requirements import Requirement

BASE = Path(settings.BASE_DIR)
PYTHON_LOCK = (BASE / "requirements.lock").read_text()


def locked_versions() -> dict[str, list[str]]:
    """Return the versions of each Python package in requirements.lock. A package may have one version per platform."""
    found: dict[str, list[str]] = {}
    for line in PYTHON_LOCK.splitlines():
        name, version = line.partition(";")[0].strip().split("==")
        found.setdefault(name, []).append(version)
    return found


def test_every_optional_package_of_the_page_is_locked() -> None:
    """npm sometimes leaves packages for other platforms out of package-lock.json. `npm ci` then fails on them."""
    packages = json.loads((BASE / "frontend" / "package-lock.json").read_text())["packages"]
    missing = [
        f"{wanted} for {name}"
        for name, entry in packages.items()
        for wanted in entry.get("optionalDependencies", {})
        if f"node_modules/{wanted}" not in packages and f"{name}/node_modules/{wanted}" not in packages
    ]
    assert missing == []


def test_every_python_requirement_is_locked_within_its_range() -> None:
    project = tomllib.loads((BASE / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].values()
    wanted = [*project["dependencies"], *(requirement for extra in extras for requirement in extra)]
    locked = locked_versions()
    for requirement in map(Requirement, wanted):
        if requirement.name != project["name"]:
            versions = locked.get(requirement.name.lower(), [])
            assert versions, f"{requirement.name} is not in requirements.lock: run make lock"
            assert all(requirement.specifier.contains(version) for version in versions), str(requirement)


def test_the_lock_files_name_no_registry() -> None:
    assert not re.search(r"https?://|file:", PYTHON_LOCK)
    assert '"resolved": "http' not in (BASE / "frontend" / "package-lock.json").read_text()
