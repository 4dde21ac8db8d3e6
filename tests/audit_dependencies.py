"""`make audit`: looks up the locked versions of all packages, of Python and of the page, in the advisories of OSV.

It ends with 1 if an advisory concerns one of them and is not in ACCEPTED, or with 0 for `--report`, which the tests of
each commit use: a new advisory must not fail a commit that did not change. If the service (osv.dev) cannot be reached,
the command says that nothing was audited, and ends with 0, because a build must not fail for that, or with 3 for
`--strict`. `--database` names a copy of the advisories (a zip, or a folder of JSON files, as osv.dev offers it for each
ecosystem); nothing is asked over the network then.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import httpx
from packaging.version import InvalidVersion, Version

BASE = Path(__file__).resolve().parent.parent
SERVICE = "https://api.osv.dev/v1/querybatch"
AT_ONCE = 500  # packages in one request; the service takes 1,000
SECONDS = 15
# Ids of advisories that do not concern Maskwright, each with the reason.
ACCEPTED: dict[str, str] = {}


class Package(NamedTuple):
    """A package of the lock files. `ecosystem` is its registry as OSV calls it: PyPI or npm."""

    ecosystem: str
    name: str
    version: str


class Unreachable(Exception):
    """The service did not answer as it should."""


def locked_packages(base: Path = BASE) -> list[Package]:
    """Return the packages of requirements.lock and package-lock.json."""
    found = set()
    for line in (base / "requirements.lock").read_text().splitlines():
        name, _, version = line.partition(";")[0].strip().partition("==")
        found.add(Package("PyPI", normal(name), version))
    packages = json.loads((base / "frontend" / "package-lock.json").read_text())["packages"]
    for path, entry in packages.items():
        if path and "version" in entry:
            found.add(Package("npm", entry.get("name") or path.rpartition("node_modules/")[2], entry["version"]))
    return sorted(found)


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def ask_service(packages: Sequence[Package], client: httpx.Client) -> Iterator[tuple[Package, str]]:
    """Yield each package with the id of an advisory that concerns it. Raises Unreachable."""
    for first in range(0, len(packages), AT_ONCE):
        part = packages[first : first + AT_ONCE]
        queries = [{"package": {"ecosystem": p.ecosystem, "name": p.name}, "version": p.version} for p in part]
        try:
            answer = client.post(SERVICE, json={"queries": queries})
            results = answer.raise_for_status().json()["results"]
            found = [
                (package, str(advisory["id"]))
                for package, result in zip(part, results, strict=True)
                for advisory in result.get("vulns") or ()
            ]
        # A proxy may answer with any JSON, so the shape of the answer is not known before it is read.
        except (httpx.HTTPError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise Unreachable(f"{type(error).__name__}: {error}") from None
        yield from found


def search_database(packages: Sequence[Package], database: Path) -> Iterator[tuple[Package, str]]:
    """Yield each package with the id of an advisory that concerns it, from a copy of the advisories.

    The copy is a zip, or a folder with zips or JSON files.
    """
    by_name: dict[tuple[str, str], list[Package]] = {}
    for package in packages:
        by_name.setdefault((package.ecosystem, package.name), []).append(package)
    for record in _records(database):
        if record.get("withdrawn"):
            continue
        for affected in record.get("affected", ()):
            of = affected.get("package", {})
            ecosystem, name = of.get("ecosystem", ""), of.get("name", "")
            for package in by_name.get((ecosystem, normal(name) if ecosystem == "PyPI" else name), ()):
                if is_affected(package, affected):
                    yield package, record["id"]


def _records(database: Path) -> Iterator[dict[str, Any]]:
    if database.is_dir():
        for path in sorted(database.rglob("*")):
            if path.suffix in (".zip", ".json"):
                yield from _records(path)
    elif database.suffix == ".json":
        yield json.loads(database.read_text())
    else:
        with zipfile.ZipFile(database) as archive:
            for name in archive.namelist():
                if name.endswith(".json"):
                    yield json.loads(archive.read(name))


def is_affected(package: Package, affected: dict[str, Any]) -> bool:
    """Return whether an entry `affected` of an advisory names the version of the package."""
    if package.version in affected.get("versions", ()):
        return True
    mine = _order(package.version)
    for span in affected.get("ranges", ()):
        if span.get("type") not in ("ECOSYSTEM", "SEMVER"):
            continue
        inside = False
        for event in span.get("events", ()):
            if "introduced" in event and mine >= _order(event["introduced"]):
                inside = True
            elif ("fixed" in event and mine >= _order(event["fixed"])) or (
                "last_affected" in event and mine > _order(event["last_affected"])
            ):
                inside = False
        if inside:
            return True
    return False


def _order(version: str) -> Version:
    """Return a key that sorts versions. Those of npm are parsed like those of Python, which have the same order."""
    try:
        return Version(version)
    except InvalidVersion:
        numbers = re.match(r"\d+(\.\d+)*", version)
        return Version(f"{numbers[0] if numbers else 0}.dev0")  # a version before the one with these numbers


def main(arguments: Sequence[str] | None = None, client: httpx.Client | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="make audit", description="Look up the locked packages in the advisories of OSV."
    )
    parser.add_argument("--database", type=Path, help="a copy of the advisories, instead of asking osv.dev")
    parser.add_argument("--strict", action="store_true", help="end with 3 if the service cannot be reached")
    parser.add_argument("--report", action="store_true", help="end with 0 even if there are advisories")
    given = parser.parse_args(arguments)
    packages = locked_packages()
    try:
        if given.database:
            found = sorted(set(search_database(packages, given.database)))
        else:
            with client or httpx.Client(timeout=SECONDS) as asking:
                found = sorted(set(ask_service(packages, asking)))
    except Unreachable as problem:
        print(f"NOT AUDITED: {SERVICE} cannot be reached ({problem}). Nothing is known about the locked packages.")
        return 3 if given.strict else 0
    bad = [(package, advisory) for package, advisory in found if advisory not in ACCEPTED]
    if bad:
        print("=== ADVISORIES CONCERN THE LOCKED PACKAGES: update them, or name the reason in ACCEPTED ===")
    for package, advisory in bad:
        print(f"{package.name} {package.version} ({package.ecosystem}): https://osv.dev/{advisory}")
    print(f"{len(packages)} packages audited, {len(bad)} advisories, {len(found) - len(bad)} accepted ones.")
    return 1 if bad and not given.report else 0


if __name__ == "__main__":
    sys.exit(main())
