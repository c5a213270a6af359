"""Graphs of operators that are no chain, as modules that run."""
