"""What an engine's session keeps of its video between rounds: scribbles, masks, and probability maps as bytes."""
