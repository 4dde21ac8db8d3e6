"""What engines need to compute on this machine: devices, caches, threads, and networks compiled by OpenVINO."""
