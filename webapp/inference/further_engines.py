"""Loads the engines of the module that MASKWRIGHT_ENGINES names, or ends the program with an error message."""

from __future__ import annotations

import sys
from collections.abc import Callable


def load_or_end(module: str, load: Callable[[str], None]) -> None:
    """Call `load` with the name of the module. If it fails, the program ends with status 2."""
    try:
        load(module)
    except Exception as error:  # The module belongs to somebody else, so it may fail in any way.
        what = f"MASKWRIGHT_ENGINES={module!r} cannot be used ({type(error).__name__}: {error})"
        print(f"maskwright: {what}. Wanted: a module whose ENGINES is a dict of specs.", file=sys.stderr)
        sys.exit(2)
