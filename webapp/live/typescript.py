"""Writes frontend/src/protocol.ts from the types of the socket: `python -m webapp.live.typescript`.

It reads the source text and not the classes, because only the source has the names of aliases and the comments.
"""

from __future__ import annotations

import ast
import inspect
import io
import re
import tokenize
from pathlib import Path
from types import ModuleType

from webapp.annotation import schemas
from webapp.live import client_messages, protocol

ROOT = Path(__file__).resolve().parent.parent.parent
SOURCES = (schemas, client_messages, protocol)
TARGET = ROOT / "frontend/src/protocol.ts"
HEAD = """\
// Generated from webapp/annotation/schemas.py, webapp/live/client_messages.py and webapp/live/protocol.py
// by `python -m webapp.live.typescript`.
"""
PRIMITIVES = {"int": "number", "float": "number", "str": "string", "bool": "boolean", "None": "null"}
WIDTH = 110  # as in biome.json


class Untranslatable(ValueError):
    """The protocol uses a construct that this module cannot translate. The message shows it."""


def generate() -> str:
    """Return the text of protocol.ts: constants, aliases, interfaces and unions in the order of the sources."""
    blocks = [HEAD]
    for module in SOURCES:
        source = inspect.getsource(module)
        comments = _trailing_comments(source)
        for node in ast.parse(source).body:
            block = _statement(node, module, comments)
            if block:
                blocks.append(block)
    return "\n".join(blocks)


def _statement(node: ast.stmt, module: ModuleType, comments: dict[int, str]) -> str | None:
    """Translate a top-level statement, or return None for one that TypeScript does not need, such as an import."""
    if isinstance(node, ast.ClassDef):
        return None if node.name == "Model" else _interface(node, comments)
    if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
        return None
    name, value = node.targets[0].id, node.value
    if name.isupper():
        return _constant(name, getattr(module, name))
    return f"export type {name} ={_wrapped(_type(value), len(f'export type {name} = '))};\n"


def _interface(node: ast.ClassDef, comments: dict[int, str]) -> str:
    lines = []
    doc = ast.get_docstring(node)
    if doc:
        lines += _doc(doc)
    lines.append(f"export interface {node.name} {{")
    for field in node.body:
        if not isinstance(field, ast.AnnAssign) or not isinstance(field.target, ast.Name):
            continue
        if comment := comments.get(field.lineno):
            lines.append(f"  /** {comment} */")
        # The sender may leave out a field that has a default.
        mark = "" if field.value is None else "?"
        lines.append(f"  {field.target.id}{mark}: {_type(field.annotation)};")
    lines.append("}")
    return "\n".join(lines) + "\n"


def _doc(text: str) -> list[str]:
    if "\n" not in text:
        return [f"/** {text} */"]
    return ["/**", *(f" * {line}".rstrip() for line in text.splitlines()), " */"]


def _constant(name: str, value: object) -> str:
    if isinstance(value, dict):
        body = "".join(f"  {key}: {_quoted(text)},\n" for key, text in value.items())
        return f"export const {name}: Readonly<Record<number, string>> = {{\n{body}}};\n"
    return f"export const {name} = {value};\n"


def _type(node: ast.expr) -> str:
    """Translate an annotation. Ranges and patterns are left out, because the server checks them."""
    match node:
        case ast.Constant(value=None):
            return "null"
        case ast.Name(id=name):
            return PRIMITIVES.get(name, name)
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return f"{_type(left)} | {_type(right)}"
        case ast.Subscript(value=ast.Name(id=generic), slice=inner):
            return _generic(generic, list(inner.elts) if isinstance(inner, ast.Tuple) else [inner])
    raise Untranslatable(ast.unparse(node))


def _generic(name: str, inner: list[ast.expr]) -> str:
    match name:
        case "Annotated":
            return _type(inner[0])
        case "Literal":
            return " | ".join(_quoted(ast.literal_eval(value)) for value in inner)
        case "tuple":
            return f"[{', '.join(map(_type, inner))}]"
        case "dict":
            return f"Record<{_type(inner[0])}, {_type(inner[1])}>"
        case "list":
            element = _type(inner[0])
            return f"({element})[]" if "|" in element else f"{element}[]"
    raise Untranslatable(name)


def _wrapped(union: str, before: int) -> str:
    """Write a union on the line that has `before` characters already, or with one member a line if that is too long."""
    if before + len(union) < WIDTH:
        return f" {union}"
    return "".join(f"\n  | {member}" for member in union.split(" | "))


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _trailing_comments(source: str) -> dict[int, str]:
    found = {}
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT and token.line[: token.start[1]].strip():
            found[token.start[0]] = re.sub(r"^#\s*", "", token.string)
    return found


if __name__ == "__main__":
    TARGET.write_text(generate())
    print(f"{TARGET.relative_to(ROOT)}: {len(generate().splitlines())} lines")
