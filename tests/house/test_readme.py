"""README.md says what is true."""

import re
from pathlib import Path

import pytest
from django.conf import settings

from webapp.configuration import VARIABLES, Variable

README = (Path(settings.BASE_DIR) / "README.md").read_text()
MAKEFILE = (Path(settings.BASE_DIR) / "Makefile").read_text()


@pytest.mark.parametrize("variable", VARIABLES, ids=lambda variable: variable.name)
def test_every_setting_is_in_the_table_as_it_is_in_the_code(variable: Variable) -> None:
    default = f"`{variable.default}`" if variable.default else ""
    assert f"| `{variable.name}` | {default} | {variable.form} | {variable.help} |" in README


def test_the_table_has_no_setting_that_is_gone() -> None:
    named = set(re.findall(r"^\| `([A-Z_]+)` \|", README, re.MULTILINE))
    assert named == {variable.name for variable in VARIABLES}


def test_the_settings_are_read_in_one_place_only() -> None:
    """`os.environ` elsewhere would be a setting that nobody documents."""
    allowed = {
        "webapp/__init__.py",  # tells libraries how their threads wait
        "webapp/settings.py",  # hands it to configuration.py
        "webapp/configuration.py",
        "webapp/asgi.py",  # these two name the settings module
        "webapp/celery.py",
        "webapp/inference/worker_lifecycle.py",  # tells libraries how many threads
        "webapp/supervisor.py",  # hands it on to children
        "webapp/management/commands/bench.py",  # these two hand it on to a child with a folder of its own
        "webapp/management/commands/benchmark.py",
        "webapp/management/commands/studio.py",  # whether the port was asked for
    }
    base = Path(settings.BASE_DIR)
    found = {
        str(path.relative_to(base))
        for path in (base / "webapp").rglob("*.py")
        if re.search(r"os\.environ|os\.getenv", path.read_text())
    }
    assert found <= allowed, f"read these through settings.CONFIG: {sorted(found - allowed)}"


def test_every_make_target_that_it_names_is_there() -> None:
    named = set(re.findall(r"`make ([a-z-]+)`|^    make ([a-z-]+)$", README, re.MULTILINE))
    for target in {first or second for first, second in named}:
        assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE), f"make {target}"


def test_every_command_that_it_names_is_there() -> None:
    commands = Path(settings.BASE_DIR) / "webapp" / "management" / "commands"
    django_own = {"migrate"}
    for name in set(re.findall(r"manage\.py ([a-z_]+)", README)) - django_own:
        assert (commands / f"{name}.py").is_file(), f"manage.py {name}"


def test_every_folder_that_it_names_is_there() -> None:
    for name in re.findall(r"^\| `([a-z/]+)` \|", README, re.MULTILINE):
        assert (Path(settings.BASE_DIR) / name).is_dir(), name


def test_its_picture_is_there() -> None:
    for picture in re.findall(r"!\[[^]]*\]\(([^)]+)\)", README):
        assert (Path(settings.BASE_DIR) / picture).is_file(), picture
