"""Tests that README.md and docs/ agree with the code on settings, commands, make targets, folders and links."""

import re
from pathlib import Path

import pytest
from django.conf import settings

from webapp.configuration import VARIABLES, Variable

BASE = Path(settings.BASE_DIR)
PAGES = [BASE / "README.md", BASE / "CONTRIBUTING.md", *sorted((BASE / "docs").glob("*.md"))]
RUNNING = (BASE / "docs" / "running.md").read_text()
ARCHITECTURE = (BASE / "docs" / "architecture.md").read_text()
MAKEFILE = (BASE / "Makefile").read_text()
README_LINES = 120


@pytest.mark.parametrize("variable", VARIABLES, ids=lambda variable: variable.name)
def test_every_setting_is_in_the_table_as_it_is_in_the_code(variable: Variable) -> None:
    default = f"`{variable.default}`" if variable.default else ""
    assert f"| `{variable.name}` | {default} | {variable.form} | {variable.help} |" in RUNNING


def test_the_table_has_no_setting_that_is_gone() -> None:
    named = set(re.findall(r"^\| `([A-Z_]+)` \|", RUNNING, re.MULTILINE))
    assert named == {variable.name for variable in VARIABLES}


def test_the_settings_are_read_in_one_place_only() -> None:
    """In webapp, only these modules may use environment variables, so that no setting is left undocumented."""
    allowed = {
        "webapp/__init__.py",  # sets how the threads of numerical libraries wait for work
        "webapp/settings.py",  # passes `os.environ` to configuration.py
        "webapp/configuration.py",
        # These two set DJANGO_SETTINGS_MODULE.
        "webapp/asgi.py",
        "webapp/celery.py",
        "webapp/inference/worker_lifecycle.py",  # sets the number of threads of numerical libraries
        "webapp/process/supervisor.py",  # passes the environment on to child processes
        # These pass the environment on to child processes.
        "webapp/installation.py",
        "webapp/management/commands/measure_latency.py",
        "webapp/operation/database_copy.py",  # passes the environment on to the programs of Postgres
        "webapp/__main__.py",  # passes `--home` on
        "webapp/management/commands/serve.py",  # finds out whether the user has set the port
    }
    base = Path(settings.BASE_DIR)
    found = {
        str(path.relative_to(base))
        for path in (base / "webapp").rglob("*.py")
        if re.search(r"os\.environ|os\.getenv", path.read_text())
    }
    assert found <= allowed, f"read these through settings.CONFIG: {sorted(found - allowed)}"


def test_the_readme_is_short() -> None:
    assert len((BASE / "README.md").read_text().splitlines()) <= README_LINES


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_make_target_that_a_page_names_is_there(page: Path) -> None:
    for pair in re.findall(r"`make ([a-z-]+)`|^    make ([a-z-]+)$", page.read_text(), re.MULTILINE):
        target = "".join(pair)
        assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE), f"make {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_that_a_page_names_is_there(page: Path) -> None:
    commands = BASE / "webapp" / "management" / "commands"
    django_own = {"migrate", "makemigrations"}
    for name in set(re.findall(r"manage\.py ([a-z_]+)", page.read_text())) - django_own:
        assert (commands / f"{name}.py").is_file(), f"manage.py {name}"


def test_every_folder_in_the_table_of_folders_is_there() -> None:
    named = re.findall(r"^\| `([a-z/]+)` \|", ARCHITECTURE, re.MULTILINE)
    assert named
    for name in named:
        assert (BASE / name).is_dir(), name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_and_picture_of_a_page_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()):
        if not target.startswith(("http://", "https://")):
            assert (page.parent / target).is_file(), target


def test_every_document_is_listed_in_the_table_of_contents() -> None:
    index = (BASE / "docs" / "index.md").read_text()
    for page in (BASE / "docs").glob("*.md"):
        assert page.stem == "index" or re.search(rf"^{page.stem}$", index, re.MULTILINE), page.name
