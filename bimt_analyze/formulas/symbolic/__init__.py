"""Symbolic algebra on found formulas: equality, tidying, common subexpressions."""
