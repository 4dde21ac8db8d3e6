"""Finds environment variables that are no settings but seem to be mistyped ones, which would change nothing."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from difflib import get_close_matches

PREFIX = "MASKWRIGHT_"
OF_OTHER_PROGRAMS = {"MASKWRIGHT_URL", "MASKWRIGHT_TOKEN", "MASKWRIGHT_LATENCY_FOLDER", "MASKWRIGHT_SHARED"}
OF_TESTS = f"{PREFIX}TEST"
# Kubernetes sets such variables for each Service of a namespace, whatever its name begins with.
OF_KUBERNETES = re.compile(r"_SERVICE_(HOST|PORT(_\w+)?)$|_PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?$")


def mistyped(given: Iterable[str], known: Collection[str]) -> tuple[str, str] | None:
    """Return a name in `given` that seems to be a mistyped setting, and the name in `known` that is most like it.

    Every name that begins with MASKWRIGHT_ must be known, except those that belong to other programs; the second name
    is empty if none is like it. Settings without this prefix are found if one letter after the first is missing, extra,
    another one or in the place of its neighbour, and if the setting itself is not given. Return None if nothing is
    mistyped.
    """
    names = sorted(given)
    others = {name for name in known if not name.startswith(PREFIX)} - set(names)
    for name in names:
        if name in known or name in OF_OTHER_PROGRAMS or name.startswith(OF_TESTS) or OF_KUBERNETES.search(name):
            continue
        if name.startswith(PREFIX):
            return name, next(iter(get_close_matches(name, known, 1, 0.8)), "")
        for other in sorted(others):
            # REDIS_URI and the like are variables of other programs that use the same service.
            if not name.endswith("URI") and _is_one_slip(name, other):
                return name, other
    return None


def _is_one_slip(name: str, wanted: str) -> bool:
    # With another first letter, it is rather the setting of another program: MAIL_URL and EMAIL_URL.
    if abs(len(name) - len(wanted)) > 1 or name == wanted or name[:1] != wanted[:1]:
        return False
    same = next((i for i, (a, b) in enumerate(zip(name, wanted, strict=False)) if a != b), min(len(name), len(wanted)))
    rest, wanted_rest = name[same:], wanted[same:]
    swapped = wanted_rest[1:2] + wanted_rest[:1] + wanted_rest[2:]
    return rest in (wanted_rest[1:], swapped) or wanted_rest == rest[1:] or rest[1:] == wanted_rest[1:]
