"""Functions and the beginnings of their series, which rows of a small range cannot tell apart."""
