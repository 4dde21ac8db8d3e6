"""Limits on wrong passwords within five minutes: few for one user name from one client address, more for a user name or
an address alone. Also limits on wrong codes of the second factor, within five minutes and within a day.

The narrow limit stops guessing. The two wide ones stop guesses that are spread over many addresses or user names. A try
is counted before its password is hashed, so that tries which run at the same time cannot all pass, and the count is
taken back when the password was right.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import structlog
from django.core.cache import cache, caches

from webapp.accounts.models import User
from webapp.problems import Problem

T = TypeVar("T")

log = structlog.get_logger(__name__)

WINDOW_SECONDS = 300
DAY_SECONDS = 24 * 3600
PER_NAME_AND_ADDRESS = 6
PER_ADDRESS = 60
PER_NAME = 120
PER_SESSION_OWNER = 6  # wrong entries of the current password by a person who changes their password
PER_CODE = 6  # wrong codes of the second factor of one person within five minutes, by whoever knows their password
PER_CODE_A_DAY = 60  # at three codes that are right at a time, 0.02 % of all codes
FALLBACK = "process"  # the cache in this process's own memory
AWAY_SECONDS = 10.0  # seconds in which the shared cache is not asked again after it did not answer

_away_until = 0.0


class PasswordTry:
    """A try of a password or a code, which counts as a wrong one unless `succeeded` or `take_back` is called."""

    def __init__(self, limits: Mapping[str, int], *, what: str = "passwords", seconds: int = WINDOW_SECONDS) -> None:
        """Count the try under every key of `limits`, which maps cache keys to the most tries within `seconds`, the
        narrowest limit first. `what` names what was tried in the message of the refusal.

        Raises Problem 429, and counts nothing, when one of the limits is reached.
        """
        self._narrowest = next(iter(limits))
        self._seconds = seconds
        self._counted: list[str] = []
        for key, limit in limits.items():
            self._counted.append(key)
            if _add(key, 1, seconds) > limit:
                self.take_back()
                wait = f"{seconds // 60} minutes" if seconds < DAY_SECONDS else "a day"
                text = f"Too many wrong {what}. Wait {wait}, then try again."
                raise Problem("too_many_tries", text, 429, retry_after=seconds)

    def succeeded(self) -> None:
        """Take this try back, and forget the earlier wrong ones under the narrowest limit."""
        self.take_back()
        _on_cache(lambda store: store.delete(self._narrowest))

    def take_back(self) -> None:
        """Undo the counting of this try of a password or code, as if it had not been made."""
        for key in self._counted:
            _add(key, -1, self._seconds)


def try_sign_in(*, username: str, address: str) -> PasswordTry:
    """Count a try to sign in with this user name from this client address.

    A user name that does not exist is not counted against the address: such a try can never let anybody in, and
    counting it would allow anyone behind the same address to lock everybody else out.
    """
    name = username.casefold()
    limits = {f"sign-in:{address}:{name}": PER_NAME_AND_ADDRESS, f"sign-in:name:{name}": PER_NAME}
    if User.objects.filter(username=username).exists():
        limits[f"sign-in:address:{address}"] = PER_ADDRESS
    return PasswordTry(limits)


def try_current_password(*, user: User) -> PasswordTry:
    """Count a try of the current password, which a person must enter to change it."""
    return PasswordTry({f"current-password:{user.pk}": PER_SESSION_OWNER})


class CodeTry:
    """A try of a code of the second factor, within five minutes and within a day."""

    def __init__(self, user: User) -> None:
        """Count the try. Raises Problem 429 when one of the limits is reached."""
        self._day = PasswordTry({f"code:day:{user.pk}": PER_CODE_A_DAY}, what="codes", seconds=DAY_SECONDS)
        try:
            self._now = PasswordTry({f"code:{user.pk}": PER_CODE}, what="codes")
        except Problem:
            self._day.take_back()
            raise

    def succeeded(self) -> None:
        self._now.succeeded()
        self._day.take_back()


def try_code(*, user: User) -> CodeTry:
    """Count a try of a code of the second factor of `user`."""
    return CodeTry(user)


def _add(key: str, amount: int, seconds: int) -> int:
    def add(store: Any) -> int:
        store.add(key, 0, seconds)
        try:
            return int(store.incr(key, amount))
        except ValueError:  # the window ended between the two calls
            store.add(key, max(amount, 0), seconds)
            return max(amount, 0)

    return _on_cache(add)


def _on_cache(act: Callable[[Any], T]) -> T:
    """Call `act` with the shared cache or, while that cannot be reached, with the cache of this process."""
    global _away_until
    if time.monotonic() >= _away_until:
        try:
            return act(cache)
        except Exception as error:  # the errors of Redis are classes of a package that embedded mode does not need
            log.warning("sign_in_counts_not_shared", error=str(error), kind=type(error).__name__)
            _away_until = time.monotonic() + AWAY_SECONDS
    return act(caches[FALLBACK])
