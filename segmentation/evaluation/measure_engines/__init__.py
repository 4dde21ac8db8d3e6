"""Programs that measure what engines cost: seconds a frame, peak memory, runtimes."""
