"""Measures what engines cost on this machine: seconds per frame, peak memory, and the speed of PyTorch and OpenVINO."""
