"""The cutter: a small network that segments one object in one frame, for STAR and for the published engines."""
