"""What an engine's session stores between rounds (scribbles, masks, probability maps), and how rounds are divided."""
