"""Trains the networks of all engines with the same loop, on short clips of labelled data."""
