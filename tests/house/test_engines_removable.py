"""Tests that an engine can be removed: without its folder and its line in the registry, everything else works.

The tests remove engines from a copy of the source tree. Training and evaluation modules that import an engine belong to
it and are removed too: such a module has the engine in its name, and nothing else imports it.
"""

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

BASE = Path(settings.BASE_DIR)
FOLDERS = sorted(path.parent.name for path in (BASE / "segmentation" / "engines").glob("*/spec.py"))
LISTED = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
OFFLINE = ("segmentation.training.", "segmentation.evaluation.")
LISTING = """
import json, sys
from segmentation import registry, weights
names = {"engines": list(registry.ENGINES), "default": registry.engine_spec("default").name}
states = {name: weights.state_of(name).title for name in registry.networks()}
assert not {"torch"} & set(sys.modules), "listing engines must not import torch"
print(json.dumps({**names, "networks": sorted(states)}))
"""


def modules() -> dict[str, Path]:
    """Return the path of every module of `segmentation` and `webapp` by its dotted name."""
    files = [path for package in ("segmentation", "webapp") for path in (BASE / package).rglob("*.py")]
    return {".".join(path.relative_to(BASE).with_suffix("").parts).removesuffix(".__init__"): path for path in files}


def imports_of(path: Path) -> Iterator[str]:
    """Yield the dotted names that a file imports, also inside functions."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


IMPORTS = {name: set(imports_of(path)) for name, path in modules().items()}


def own_programs(folder: str) -> set[str]:
    """Return the modules outside of an engine's folder that import the engine."""
    inside = f"segmentation.engines.{folder}"
    return {
        name
        for name, imported in IMPORTS.items()
        if not f"{name}.".startswith(f"{inside}.")
        and any(f"{imported_name}.".startswith(f"{inside}.") for imported_name in imported)
    }


def copy_without(folders: set[str], target: Path) -> None:
    """Copy the source tree without some engines: their folders, lines in the registry and training modules."""
    listed = subprocess.run(LISTED, cwd=BASE, capture_output=True, text=True, check=True).stdout
    removed = {str(modules()[name].relative_to(BASE)) for folder in folders for name in own_programs(folder)}
    for name in filter(None, listed.split("\0")):
        parts = Path(name).parts
        if parts[0] not in ("segmentation", "webapp", "tests", "manage.py", "pyproject.toml") or name in removed:
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
    registry.unlink()  # Writing to it would change the original if it is a link.
    registry.write_text("".join(kept))


def _same_disk(folder: Path) -> bool:
    return folder.stat().st_dev == BASE.stat().st_dev


def run(arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    # The relative path makes `import segmentation` find the copy.
    environment = {**os.environ, "PYTHONPATH": ".", "MASKWRIGHT_HOME": str(folder / "data"), "MASKWRIGHT_WEIGHTS": ""}
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=800
    )


@pytest.mark.parametrize("folder", FOLDERS)
def test_only_its_own_programs_import_an_engine(folder: str) -> None:
    for name in own_programs(folder):
        assert name.startswith(OFFLINE), f"{name} needs the engine {folder} to run"
        assert folder in name.rpartition(".")[2].split("_"), f"{name} imports {folder}, but its name does not say so"
        importers = {other for other, imported in IMPORTS.items() if name in imported}
        allowed = set().union(*(own_programs(other) for other in FOLDERS))
        assert importers <= allowed, f"{sorted(importers - allowed)} need {name}, which needs the engine {folder}"


@pytest.mark.parametrize("folder", FOLDERS)
def test_without_an_engine_the_registry_lists_the_others(folder: str, tmp_path: Path) -> None:
    copy_without({folder}, tmp_path)
    everything, rest = (run(["-c", LISTING], where) for where in (BASE, tmp_path))
    assert rest.returncode == 0, rest.stderr
    before, after = json.loads(everything.stdout), json.loads(rest.stdout)
    gone = set(before["engines"]) - set(after["engines"])
    assert gone
    assert after["engines"] == [name for name in before["engines"] if name not in gone]
    assert after["default"] == (before["default"] if before["default"] not in gone else after["engines"][0])
    assert set(after["networks"]) < set(before["networks"]) or folder == "flow"


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_without_all_engines_but_one_types_contracts_and_the_list_of_engines_hold(tmp_path: Path) -> None:
    """All engines but one are removed at once to save time: what one removal breaks, this breaks too."""
    copy_without(set(FOLDERS) - {"flow"}, tmp_path)
    checks = {
        "mypy": ["-m", "mypy", "-p", "segmentation", "-p", "webapp"],
        "import contracts": ["-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"],
        "web tests": ["-m", "pytest", "-q", "tests/webapp/inference/test_runner.py", "-k", "engines"],
    }
    for what, arguments in checks.items():
        result = run(arguments, tmp_path)
        assert result.returncode == 0, f"{what}: {result.stdout[-4000:]}{result.stderr[-2000:]}"
