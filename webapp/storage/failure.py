"""The error of a storage that cannot be used at present."""

AWAY_FOR_LONG = "The server that keeps the files has not answered for long. Try again when it does."


class StorageAway(OSError):
    """The server that keeps the files does not answer, or refuses. The text says why, for the log."""
