"""What a person waits for in the studio. `make measure-latency` runs this after `manage.py measure_latency`."""
