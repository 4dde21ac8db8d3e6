"""The error of a storage that cannot be used at present."""


class StorageAway(OSError):
    """The server that keeps the files does not answer, or refuses. The text says why, for the log."""
