"""How engines compute here: devices, caches, threads, and networks compiled by OpenVINO."""
