"""Where this copy of Maskwright is: a clone of the repository, or a package that pip installed.

A clone keeps its data in `data/` and its page in `frontend/dist/`. A package holds the page itself and keeps its
data in the user's data folder, because nothing may be written beside a package.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
_MANAGE = BASE_DIR / "manage.py"
IN_CLONE = _MANAGE.is_file()

# The built page: index.html and assets/.
PAGE = BASE_DIR / "frontend" / "dist" if IN_CLONE else BASE_DIR / "webapp" / "page"
# How a person starts a command, for sentences such as "Run `manage.py migrate`."
COMMAND = "manage.py" if IN_CLONE else "maskwright"
# The same as a line to copy into a terminal.
TYPED_COMMAND = f"python {COMMAND}" if IN_CLONE else COMMAND
# How a program starts a command.
COMMAND_LINE: tuple[str, ...] = (sys.executable, str(_MANAGE)) if IN_CLONE else (sys.executable, "-m", "webapp")

# How a program starts Python with `-m` or `-c` in the folder of a person, whose own files must not be imported.
SAFE_PYTHON = (sys.executable, "-P")


def environment_of_child() -> dict[str, str]:
    """Return the environment in which Python finds the packages of this copy from any folder. A clone need not be
    installed.
    """
    path = [str(BASE_DIR), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path)}


def default_home() -> Path:
    """Return the data folder for people who have not set MASKWRIGHT_HOME."""
    if IN_CLONE:
        return BASE_DIR / "data"
    from platformdirs import user_data_path

    return user_data_path("maskwright", appauthor=False)
