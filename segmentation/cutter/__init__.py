"""The cutter: a small network that cuts an object out of one frame, for whichever engine needs it."""
