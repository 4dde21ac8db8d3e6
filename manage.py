#!/usr/bin/env python
"""The door to every command: `python manage.py studio` starts all of Maskwright."""

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
    from webapp.process.command_line import run

    run(sys.argv)
