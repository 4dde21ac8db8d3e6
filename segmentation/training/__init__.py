"""Trains the networks of all engines by one loop, on clips of labelled data with synthetic scribbles."""
