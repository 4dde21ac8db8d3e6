"""How fast the studio is to a person: the second half of `make measure-latency`; the first is `manage.py measure_latency`."""
