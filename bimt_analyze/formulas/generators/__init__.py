"""Generators of candidate formulas, one family a file."""
