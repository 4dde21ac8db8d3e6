"""Measure how long a user waits for the page and for the web process.

`make measure-latency` runs this package after the command `manage.py measure_latency`, which measures masks and rounds.
"""
