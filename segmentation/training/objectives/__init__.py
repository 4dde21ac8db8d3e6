"""What the training objectives share. The objective of an engine is in its folder, `objective.py`."""
