"""How fast and how well networks are trained, and what survives when a training is killed."""
