"""Formulas that meet the rows as well as a found one: truncated, resummed, restated; and the rows that would decide."""
