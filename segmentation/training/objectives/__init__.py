"""Code that several training objectives use. The objective of an engine is the module `objective.py` in its folder."""
