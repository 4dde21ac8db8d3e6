"""The cutter: a small network that segments an object in the frame that was drawn on, for STAR and other engines."""
