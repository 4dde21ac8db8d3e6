"""How many wrong passwords are taken: few for one name from one address, more for either alone.

The first limit stops guessing; the other two stop it being spread over many names or addresses, and are wide enough
that a stranger cannot lock a person out, nor one forgetful person an office that shares an address.
"""

from __future__ import annotations

from django.core.cache import cache

from webapp.problems import Problem

WINDOW_SECONDS = 300
PER_NAME_AND_ADDRESS = 6
PER_ADDRESS = 60
PER_NAME = 120


def _limits(username: str, address: str) -> dict[str, int]:
    name = username.casefold()
    return {
        f"sign-in:{address}:{name}": PER_NAME_AND_ADDRESS,
        f"sign-in:address:{address}": PER_ADDRESS,
        f"sign-in:name:{name}": PER_NAME,
    }


def check_sign_in(*, username: str, address: str) -> None:
    """Raise Problem 429 when too many sign-ins with this name or from this address went wrong of late."""
    limits = _limits(username, address)
    counts = cache.get_many(limits)
    if any(counts.get(key, 0) >= limit for key, limit in limits.items()):
        minutes = WINDOW_SECONDS // 60
        raise Problem("too_many_tries", f"Too many wrong passwords. Wait {minutes} minutes, then try again.", 429)


def count_failure(*, username: str, address: str) -> None:
    for key in _limits(username, address):
        cache.add(key, 0, WINDOW_SECONDS)
        cache.incr(key)


def forget_failures(*, username: str, address: str) -> None:
    """After a right password: the person's own count starts again; the wider ones stay."""
    cache.delete(f"sign-in:{address}:{username.casefold()}")
