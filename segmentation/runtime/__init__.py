"""How engines use the machine: devices, caches, threads, and networks compiled by OpenVINO."""
