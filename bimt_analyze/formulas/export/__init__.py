"""Formulas in other languages."""
