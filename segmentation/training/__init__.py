"""Training: where clips come from, how scribbles are made up, one loop for all engines."""
