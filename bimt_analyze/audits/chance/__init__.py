"""Whether chance could bring the structure that was found."""
