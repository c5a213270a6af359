"""Whether a circuit means more than what the same pruning finds in networks that mean nothing."""
