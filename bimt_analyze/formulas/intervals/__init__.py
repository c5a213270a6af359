"""Intervals of the constants of a formula, and names that agree with them."""
