"""Tests of tests/audit_dependencies.py with a service and a database of its own, without the network."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests import audit_dependencies as audit
from tests.audit_dependencies import Package, is_affected, main

DJANGO = next(package for package in audit.locked_packages() if package.name == "django")


def service(answer: Any) -> httpx.Client:
    return httpx.Client(transport=httpx.MockTransport(answer))


def finds(name: str) -> Any:
    def answer(request: httpx.Request) -> httpx.Response:
        queries = json.loads(request.content)["queries"]
        hits = [{"vulns": [{"id": "GHSA-1"}]} if q["package"]["name"] == name else {} for q in queries]
        return httpx.Response(200, json={"results": hits})

    return answer


def away(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("no route")


def says(body: Any) -> Any:
    return lambda request: httpx.Response(200, json=body)


# Answers that are JSON, but not those of the service.
ODD: tuple[Any, ...] = (
    [],
    "blocked",
    None,
    {},
    {"results": None},
    {"results": [{}]},
    {"results": 3},
    {"results": [None] * len(audit.locked_packages())},
)


def test_both_locks_are_read() -> None:
    packages = audit.locked_packages()
    assert {package.ecosystem for package in packages} == {"PyPI", "npm"}
    assert len(packages) > 200
    assert any(package.name.startswith("@preact/") for package in packages), "npm names keep their scope"


@pytest.mark.parametrize(
    ("answer", "arguments", "status", "said"),
    [
        (finds("django"), [], 1, f"django {DJANGO.version} (PyPI): https://osv.dev/GHSA-1"),
        (finds("django"), ["--report"], 0, "ADVISORIES CONCERN THE LOCKED PACKAGES"),
        (finds("nothing"), ["--strict"], 0, "0 advisories"),
        (away, [], 0, "NOT AUDITED"),
        (away, ["--strict"], 3, "cannot be reached (ConnectError: no route)"),
        (lambda request: httpx.Response(503), [], 0, "NOT AUDITED"),
        (lambda request: httpx.Response(200, text="a proxy's page"), [], 0, "NOT AUDITED"),
        *((says(body), ["--strict"], 3, "NOT AUDITED") for body in ODD),
    ],
)
def test_findings_fail_and_a_service_that_is_away_is_said(
    answer: Any, arguments: list[str], status: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments, service(answer)) == status
    assert said in capsys.readouterr().out


def test_an_accepted_advisory_does_not_fail(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(audit.ACCEPTED, "GHSA-1", "the part is not used")
    assert main([], service(finds("django"))) == 0
    assert "1 accepted" in capsys.readouterr().out


def test_a_copy_of_the_advisories_is_searched_without_the_network(tmp_path: Path, capsys: Any) -> None:
    def advisory(id: str, name: str, **more: Any) -> dict[str, Any]:
        affected = {"package": {"ecosystem": "PyPI", "name": name}, **more}
        return {"id": id, "affected": [affected]}

    old = {"ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.2"}]}]}
    records = [
        advisory("PYSEC-1", "Django", versions=[DJANGO.version]),
        advisory("PYSEC-2", "django", **old),
        advisory("PYSEC-3", "not-ours", versions=["1"]),
        {**advisory("PYSEC-4", "django", versions=[DJANGO.version]), "withdrawn": "2026-01-01T00:00:00Z"},
    ]
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for record in records:
            archive.writestr(f"{record['id']}.json", json.dumps(record))
    assert main(["--database", str(tmp_path)], service(away)) == 1
    said = capsys.readouterr().out
    assert "PYSEC-1" in said
    assert "1 advisories" in said


@pytest.mark.parametrize(
    ("version", "events", "affected"),
    [
        ("1.1", [{"introduced": "0"}, {"fixed": "1.2"}], True),
        ("1.2", [{"introduced": "0"}, {"fixed": "1.2"}], False),
        ("1.2", [{"introduced": "1.0"}, {"last_affected": "1.2"}], True),
        ("1.3", [{"introduced": "1.0"}, {"last_affected": "1.2"}], False),
        ("0.9", [{"introduced": "1.0"}], False),
        ("2.1", [{"introduced": "1.0"}, {"fixed": "1.5"}, {"introduced": "2.0"}, {"fixed": "2.2"}], True),
        ("1.10.0", [{"introduced": "1.9.0"}, {"fixed": "1.11.0"}], True),
        ("1.0.0-beta.3", [{"introduced": "1.0.0"}], False),
    ],
)
def test_ranges_of_versions_are_read(version: str, events: list[dict[str, str]], affected: bool) -> None:
    package = Package("npm", "x", version)
    assert is_affected(package, {"ranges": [{"type": "SEMVER", "events": events}]}) is affected
    assert not is_affected(package, {"ranges": [{"type": "GIT", "events": events}]})
