"""Errors that a user can act on: a stable code, a sentence, an HTTP status. One place turns them into answers."""

from __future__ import annotations


class Problem(Exception):
    """Raised anywhere below a view or a socket handler; nothing has changed when it is raised."""

    def __init__(self, code: str, text: str, status: int = 400, **extra: object) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.status = status
        self.extra = extra  # further fields of the answer, e.g. the right offset of an upload


class NotFound(Problem):
    """It does not exist, or not for this user: strangers cannot tell which."""

    def __init__(self, what: str = "page") -> None:
        super().__init__("not_found", f"This {what} does not exist, or you are not a member of its project.", 404)


class Forbidden(Problem):
    def __init__(self, text: str) -> None:
        super().__init__("forbidden", text, 403)
