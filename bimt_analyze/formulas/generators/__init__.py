"""Generators: which expressions may explain the rows? One family of expressions in each file, constants left open."""
