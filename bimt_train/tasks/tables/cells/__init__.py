"""Cells of a column: what they hold, and in which form numbers and dates stand in them."""
