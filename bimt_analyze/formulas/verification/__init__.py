"""The verification of a formula: what its rows show, what speaks against it, and the word for it."""
