"""What engines cost on this machine: seconds per frame, peak memory, runtimes. `python -m` this package."""
