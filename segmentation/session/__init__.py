"""What a session of an engine keeps of its video: rounds, their masks, and soft masks as compact bytes."""
