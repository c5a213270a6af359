"""Modules whose groups of neurons are stated by hand, for the benchmark of traced layouts."""
