"""Tests that an engine can be removed with its folder and its line in the registry, because nothing else needs it.

The tests remove engines from a copy of the source tree.
"""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

BASE = Path(settings.BASE_DIR)
FOLDERS = sorted(path.parent.name for path in (BASE / "segmentation" / "engines").glob("*/spec.py"))
LISTED = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
LISTING = """
import json, sys
from segmentation import registry, weights
names = {"engines": list(registry.ENGINES), "default": registry.engine_spec("default").name}
states = {name: weights.state_of(name).title for name in registry.networks()}
programs = {**registry.objectives(), **registry.golden_systems()}
assert not {"torch"} & set(sys.modules), "listing engines must not import torch"
print(json.dumps({**names, "networks": sorted(states), "programs": sorted(programs.values())}))
"""


def modules() -> dict[str, Path]:
    """Return the path of every module of the packages by its dotted name."""
    files = [path for package in ("segmentation", "webapp", "maskwright") for path in (BASE / package).rglob("*.py")]
    return {".".join(path.relative_to(BASE).with_suffix("").parts).removesuffix(".__init__"): path for path in files}


def imports_of(path: Path) -> Iterator[str]:
    """Yield the dotted names of the modules and names that a file imports (not relatively), also inside functions."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@cache
def imports() -> dict[str, set[str]]:
    """Return the dotted names of everything that each module of the packages imports, by the module's dotted name."""
    return {name: set(imports_of(path)) for name, path in modules().items()}


def importers_of(folder: str) -> set[str]:
    """Return the modules that import an engine, except those in its folder `segmentation/engines/{folder}`."""
    inside = f"segmentation.engines.{folder}"
    return {
        name
        for name, imported in imports().items()
        if not f"{name}.".startswith(f"{inside}.")
        and any(f"{imported_name}.".startswith(f"{inside}.") for imported_name in imported)
    }


def copy_without(folders: set[str], target: Path) -> None:
    """Copy the source tree to `target` without some engines: without their folders and their lines in the registry.

    `folders` are names of folders in segmentation/engines. Files are linked to the originals instead of copied,
    except the registry, which is rewritten.
    """
    listed = subprocess.run(LISTED, cwd=BASE, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        parts = Path(name).parts
        if parts[0] not in ("segmentation", "webapp", "maskwright", "tests", "manage.py", "pyproject.toml"):
            continue
        if parts[:2] == ("segmentation", "engines") and len(parts) > 2 and parts[2] in folders:
            continue
        if not (BASE / name).is_file():
            continue
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        os.link(BASE / name, target / name) if _same_disk(target) else (target / name).symlink_to(BASE / name)
    registry = target / "segmentation" / "registry.py"
    lines = registry.read_text().splitlines(keepends=True)
    kept = [line for line in lines if not re.search(rf"engines\.({'|'.join(folders)})\.spec:", line)]
    assert len(kept) < len(lines)
    registry.unlink()  # The file is a link, so writing to it would change the original.
    registry.write_text("".join(kept))


def _same_disk(folder: Path) -> bool:
    return folder.stat().st_dev == BASE.stat().st_dev


def run(arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    # The relative path makes `import segmentation` find the copy.
    environment = {**os.environ, "PYTHONPATH": ".", "MASKWRIGHT_HOME": str(folder / "data"), "MASKWRIGHT_WEIGHTS": ""}
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=800
    )


@cache
def listing(folder: Path) -> dict[str, Any]:
    result = run(["-c", LISTING], folder)
    assert result.returncode == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found


@pytest.mark.parametrize("folder", FOLDERS)
def test_nothing_outside_of_its_folder_imports_an_engine(folder: str) -> None:
    assert importers_of(folder) == set()


@pytest.mark.parametrize("folder", FOLDERS)
def test_only_the_registry_names_the_modules_of_an_engine(folder: str) -> None:
    """Search the text of all modules for the dotted names of the engine's modules.

    The registry has them in strings and imports them at run time, which mypy and the import rules do not see.
    """
    named = re.compile(rf"engines\.{folder}\b")
    naming = {name for name, path in modules().items() if named.search(path.read_text())}
    inside = f"segmentation.engines.{folder}"
    assert {name for name in naming if not f"{name}.".startswith(f"{inside}.")} == {"segmentation.registry"}


@pytest.mark.parametrize("folder", FOLDERS)
def test_without_an_engine_the_registry_lists_the_others(folder: str, tmp_path: Path) -> None:
    copy_without({folder}, tmp_path)
    before, after = listing(BASE), listing(tmp_path)
    gone = set(before["engines"]) - set(after["engines"])
    assert gone
    assert after["engines"] == [name for name in before["engines"] if name not in gone]
    assert after["default"] == (before["default"] if before["default"] not in gone else after["engines"][0])
    assert set(after["networks"]) < set(before["networks"]) or folder == "flow"
    assert after["programs"] == [path for path in before["programs"] if f".{folder}." not in path]


@pytest.fixture(scope="module")
def types_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a cache for mypy, with which the copies are checked only where they differ from what was checked before.

    It begins with the results of the last check of the whole repository (`make lint`), if there was one.
    """
    cache = tmp_path_factory.mktemp("types") / "cache"
    if (BASE / ".mypy_cache").is_dir():
        shutil.copytree(BASE / ".mypy_cache", cache)
    return cache


def check(what: str, arguments: list[str], folder: Path) -> None:
    result = run(arguments, folder)
    assert result.returncode == 0, f"{what}: {result.stdout[-4000:]}{result.stderr[-2000:]}"


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_without_all_engines_but_one_types_hold(types_cache: Path, tmp_path: Path) -> None:
    """Run mypy without all engines but flow. It would find an import of a removed engine, as the first test of this
    file does without mypy, and types that only a removed engine defines.
    """
    copy_without(set(FOLDERS) - {"flow"}, tmp_path)
    packages = ["-p", "segmentation", "-p", "webapp", "-p", "maskwright"]
    check("mypy", ["-m", "mypy", "--cache-dir", str(types_cache), *packages], tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("folders", [set(FOLDERS) - {"flow"}, {"flow"}], ids=["all but flow", "flow"])
def test_without_engines_contracts_and_the_list_of_engines_hold(folders: set[str], tmp_path: Path) -> None:
    """Run the import rules and a few tests with flow alone, and without flow. Each engine singly takes longer."""
    copy_without(folders, tmp_path)
    rules = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    check("import contracts", ["-c", rules], tmp_path)
    check("web tests", ["-m", "pytest", "-q", "tests/webapp/inference/test_runner.py", "-k", "engines"], tmp_path)
