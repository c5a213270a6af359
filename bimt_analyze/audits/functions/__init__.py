"""What the modules compute: which subfunctions can be read from them, by which formula, and which are equivalent."""
