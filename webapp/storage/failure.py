"""The errors of a storage that cannot be used at present, or whose files are of another site."""

AWAY_FOR_LONG = "The server that keeps the files has not answered for long. Try again when it does."


class StorageAway(OSError):
    """The stored files cannot be used now: their server does not answer or refuses, or they are of another site.

    The text says why, for the log.
    """


class WrongFiles(Exception):
    """The stored files do not belong to the database. `said` says why, and `remedy` what to do."""

    def __init__(self, said: str, remedy: str) -> None:
        super().__init__(f"{said} {remedy}")
        self.said, self.remedy = said, remedy
