"""Marks: fast waves, kinks and steps, which no smooth function follows, given to the search as further columns."""
