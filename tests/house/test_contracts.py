"""Tests that docs/contracts.md lists every REST call, type and message as the code defines it.

A failure shows the row that the document should have.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args

import pytest
from django.conf import settings
from pydantic import BaseModel

from tests.webapp.access_rules import RULES
from webapp.api import api
from webapp.live.client_messages import ClientMessage
from webapp.live.protocol import CLOSE_CODES, ServerMessage
from webapp.projects.models import Role

EVERYWHERE = ("Idempotency-Key", "If-Match", "If-None-Match")  # The text of the page says which calls take them.
PAGE = (Path(settings.BASE_DIR) / "docs" / "contracts.md").read_text()
SCHEMA = api.get_openapi_schema()
CALLS = [(method.upper(), path, call) for path, calls in SCHEMA["paths"].items() for method, call in calls.items()]
MESSAGES: list[tuple[str, type[BaseModel]]] = [
    (direction, message)
    for direction, union in (("from the browser", ClientMessage), ("to the browser", ServerMessage))
    for message in get_args(get_args(union)[0])
]
# A REST call takes messages as its body, so they are in the schema. The table of messages has their fields.
SENT = {message.__name__ for _, message in MESSAGES}
TYPES = {
    name: schema
    for name, schema in SCHEMA["components"]["schemas"].items()
    if "properties" in schema and name not in SENT
}


def rows(heading: str) -> list[list[str]]:
    """Return the text of the cells of each row of the table below the heading `heading` in docs/contracts.md."""
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[1:]]


def named(schema: dict[str, Any]) -> str:
    """Return how docs/contracts.md names the type of a JSON body, for example VideoCard, [VideoCard] or string.

    `schema` is the type in the OpenAPI schema.
    """
    if schema.get("type") == "array":
        return f"[{named(schema['items'])}]"
    if "discriminator" in schema:
        return "a message from the browser"
    return str(schema.get("$ref", "")).rpartition("/")[2] or str(schema["type"])


def body_of(content: dict[str, Any]) -> str:
    names = [named(part["schema"]) if kind == "application/json" else kind for kind, part in content.items()]
    return ", ".join(f"`{name}`" for name in names)


def fields_of(properties: dict[str, Any], required: list[str]) -> str:
    return "`" + ", ".join(name if name in required else f"{name}?" for name in properties) + "`"


def wanted_call(method: str, path: str, call: dict[str, Any]) -> list[str]:
    rule = RULES[method, path]
    who = rule.who.value if isinstance(rule.who, Role) else rule.who
    parameters = [given for given in call["parameters"] if given["in"] != "path" and given["name"] not in EVERYWHERE]
    takes = [body_of(call["requestBody"]["content"])] if "requestBody" in call else []
    takes += [f"`{given['name']}{'' if given['required'] else '?'}` ({given['in']})" for given in parameters]
    status = min(call["responses"])  # 206 (a part of a file) has the same type as 200.
    answer = body_of(call["responses"][status].get("content", {}))
    return [f"`{method} {path}`", who, ", ".join(takes), f"{status} {answer}".strip()]


def wanted_message(direction: str, message: type[BaseModel]) -> list[str]:
    (kind,) = get_args(message.model_fields["type"].annotation)
    fields = {name: field for name, field in message.model_fields.items() if name != "type"}
    required = [name for name, field in fields.items() if field.is_required()]
    return [f"`{kind}`", direction, fields_of(fields, required) if fields else ""]


WANTED_CALLS = [wanted_call(*call) for call in CALLS]
WANTED_TYPES = [
    [f"`{name}`", fields_of(schema["properties"], schema.get("required", []))] for name, schema in TYPES.items()
]
WANTED_MESSAGES = [wanted_message(*message) for message in MESSAGES]


@pytest.mark.parametrize(
    ("heading", "columns", "wanted"),
    [("Calls", 4, WANTED_CALLS), ("Types", 2, WANTED_TYPES), ("Messages", 3, WANTED_MESSAGES)],
)
def test_a_table_of_the_page_has_what_the_code_has(heading: str, columns: int, wanted: list[list[str]]) -> None:
    found = [row[:columns] for row in rows(heading)]
    missing = [f"| {' | '.join(row)} |" for row in wanted if row not in found]
    stale = [f"| {' | '.join(row)} |" for row in found if row not in wanted]
    assert (missing, stale) == ([], []), f"rows to write and rows to remove in the table {heading!r}"
    assert len(found) == len(wanted), "a row stands twice"


def test_every_close_code_is_explained() -> None:
    assert set(re.findall(r"\b44\d\d\b|\b45\d\d\b", PAGE)) == {str(code) for code in CLOSE_CODES}


def test_every_status_that_a_call_may_answer_is_explained() -> None:
    documented = {status for _, _, call in CALLS for status in call["responses"] if status >= 400}
    explained = PAGE.partition("## Errors\n")[2].partition("\n## ")[0]
    assert {int(status) for status in re.findall(r"^\| (\d{3}) \|", explained, re.MULTILINE)} == documented
