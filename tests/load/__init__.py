"""Simulated annotators on one web process: how long they wait, and what a stroke and an idle socket cost."""
