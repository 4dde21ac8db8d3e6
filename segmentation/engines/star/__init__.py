"""STAR, space-time adaptive read-out: this project's own engine, made of what is best in the four published ones."""
