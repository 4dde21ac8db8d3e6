"""Measures the speed and memory of engines on this machine, and the speed of networks with PyTorch and OpenVINO."""
