"""Where this copy of Maskwright is: a clone of the repository, or a package that pip installed.

A clone keeps its data in `data/` and its page in `frontend/dist/`. A package holds the page itself and keeps its
data in the user's data folder, because nothing may be written beside a package.
"""

from __future__ import annotations

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


def default_home() -> Path:
    """Return the data folder for people who have not set MASKWRIGHT_HOME."""
    if IN_CLONE:
        return BASE_DIR / "data"
    from platformdirs import user_data_path

    return user_data_path("maskwright", appauthor=False)
