"""Which networks of others are read right, whatever file or module they come in."""
