"""Tests of rules for the whole source tree, for example which packages may import which, and how long files may be."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

BASE = Path(settings.BASE_DIR)
MOST_LINES = 400
MOST_FUNCTION_LINES = 60
NAMES_THAT_SAY_NOTHING = {"utils", "helpers", "common", "misc", "util"}
GENERATED = {"frontend/src/api/schema.ts", "frontend/src/protocol.ts"}
TEXT = {".py", ".ts", ".tsx", ".css", ".html", ".md", ".toml", ".json", ".sh", ""}


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=BASE, capture_output=True, text=True, check=True).stdout
    return [BASE / name for name in listed.split("\0") if name and (BASE / name).is_file()]


def sources() -> list[Path]:
    """List the Python and TypeScript files, without migrations and files that a program generates."""
    return [
        path
        for path in tracked()
        if path.suffix in (".py", ".ts", ".tsx")
        and "migrations" not in path.parts
        and str(path.relative_to(BASE)) not in GENERATED
    ]


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Yield the name of each function in a Python file and its length in lines without the docstring."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            words = ast.get_docstring(node, clean=False)
            yield node.name, (node.end_lineno or 0) - node.lineno + 1 - len((words or "").splitlines())


def test_the_imports_keep_to_the_layers() -> None:
    run = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"],
        cwd=BASE,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "0 broken" in run.stdout


def test_no_file_is_named_after_nothing() -> None:
    assert [path for path in sources() if path.stem.lower() in NAMES_THAT_SAY_NOTHING] == []


def test_no_file_is_too_long_to_read() -> None:
    """Check the number of lines of each Python and TypeScript file that is not generated."""
    texts = {str(path.relative_to(BASE)): path.read_text() for path in sources()}
    long = {name: len(text.splitlines()) for name, text in texts.items() if "auto-generated" not in text[:200]}
    assert {name: lines for name, lines in long.items() if lines > MOST_LINES} == {}


def test_no_function_is_too_long_to_read() -> None:
    found = {
        f"{path.relative_to(BASE)}: {name}": lines
        for path in sources()
        if path.suffix == ".py"
        for name, lines in functions(path)
        if lines > MOST_FUNCTION_LINES
    }
    assert found == {}


def test_every_python_file_says_what_it_holds() -> None:
    silent = [
        str(path.relative_to(BASE))
        for path in sources()
        if path.suffix == ".py"
        and "tests" not in path.parts
        and path.read_text().strip()
        and not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert silent == []


def test_nothing_names_a_place_on_the_machine_where_it_was_written() -> None:
    places = re.compile(r"(?<![\w.$}~])/(?:work|root|opt|home/\w+)/\w")
    found = []
    for path in tracked():
        if path.suffix in TEXT and path.name not in ("package-lock.json", "LICENSE") and path.stat().st_size < 1 << 20:
            for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
                if places.search(line) and path != Path(__file__):
                    found.append(f"{path.relative_to(BASE)}:{number}: {line.strip()[:80]}")
    assert found == []
