"""Errors that a user can act on. webapp/api.py and webapp/live/consumer.py turn them into answers."""

from __future__ import annotations

RETRY_SECONDS = 5

# Sentences of answers with the status 401.
SIGNED_OUT = "Sign in first."
TOKEN_NOT_TAKEN = "This call takes no token, but a session only. Sign in first."
# It does not say which of the two holds: that would tell a stranger which secrets were tokens once.
TOKEN_NOT_VALID = "This token is not valid, or not valid any more. Make a new one in the account menu."


class Problem(Exception):
    """A request was refused. It changed nothing, unless `text` says otherwise.

    `code` names the reason for programs and is the same in later versions; `text` is a sentence for the user.
    `retry_after` is the time in seconds after which it may be made again, if that is known.
    """

    def __init__(
        self, code: str, text: str, status: int = 400, retry_after: int | None = None, **extra: object
    ) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.status = status
        # Whoever is told to try again is always told when.
        self.retry_after = RETRY_SECONDS if retry_after is None and status in (429, 503) else retry_after
        self.extra = extra  # further fields of the answer, such as the right offset of an upload


class NotFound(Problem):
    """The object `what` does not exist, or the user is no member of its project. The answer is the same for both."""

    def __init__(self, what: str = "page") -> None:
        super().__init__("not_found", f"This {what} does not exist, or you are not a member of its project.", 404)


class Forbidden(Problem):
    def __init__(self, text: str) -> None:
        super().__init__("forbidden", text, 403)
