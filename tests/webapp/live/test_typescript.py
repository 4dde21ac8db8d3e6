"""Tests of the program that generates frontend/src/protocol.ts from the types of messages in Python.

The file in the repository must be up to date.
"""

from __future__ import annotations

import ast

import pytest

from webapp.live import client_messages, protocol, typescript


def test_the_committed_file_is_not_stale() -> None:
    assert typescript.TARGET.read_text() == typescript.generate(), "run: python -m webapp.live.typescript"


def test_every_message_is_there_with_its_discriminator() -> None:
    text = typescript.generate()
    for union in (client_messages.client_messages, protocol.server_messages):
        for kind in union.json_schema()["discriminator"]["mapping"]:
            assert f'type: "{kind}";' in text


def test_comments_and_docstrings_are_kept() -> None:
    text = typescript.generate()
    assert "/** 0 = background */" in text
    assert "Replace the scene cuts of the video: the first frame of each new scene." in text


@pytest.mark.parametrize(
    ("annotation", "wanted"),
    [
        ("int | None", "number | null"),
        ("list[tuple[int, int]]", "[number, number][]"),
        ("list[A | None]", "(A | null)[]"),
        ("dict[int, str]", "Record<number, string>"),
        ("Annotated[list[Point], Field(min_length=1)]", "Point[]"),
        ('Literal["a", "b"]', '"a" | "b"'),
    ],
)
def test_it_translates(annotation: str, wanted: str) -> None:
    assert typescript._type(ast.parse(annotation, mode="eval").body) == wanted


def test_it_names_what_it_cannot_translate() -> None:
    with pytest.raises(typescript.Untranslatable, match="set"):
        typescript._type(ast.parse("set[int]", mode="eval").body)
