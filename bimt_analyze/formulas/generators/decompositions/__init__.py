"""Generators that split y into parts, each with fewer inputs, and solve the parts alone."""
