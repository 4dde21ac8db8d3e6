"""How fast the studio is to a person: the second half of `make bench`; the first is `manage.py bench`."""
