"""Training: clips from labelled data, synthetic scribbles, and one loop for all engines."""
