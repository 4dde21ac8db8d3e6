"""Measures the speed and memory of engines on this machine, and the speed of networks and of the metrics J and F."""
