#!/usr/bin/env python
"""The door to every command of a clone: `python manage.py serve` starts all of Maskwright."""

from webapp.__main__ import main

if __name__ == "__main__":
    main()
